// tests/test_knn_adversarial.cpp: data made to break the bounds. Every executor must give the oracle's bits; without
// its fallback the 16-bit pass must flag what it cannot prove.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "knn/cpu/int16_bound.h"
#include "knn_executors.h"
#include "rote/knn.h"

using namespace rote;

namespace {

using Random = std::mt19937;

float normal(Random& random) {
    return std::normal_distribution<float>()(random);
}
int below(Random& random, int n) {
    return int(random() % unsigned(n));
}

/// Queries, then references, in float32.
struct Rows {
    int64_t queries, references, dim;
    std::vector<float> values;

    Rows(int64_t queries, int64_t references, int64_t dim)
        : queries(queries), references(references), dim(dim), values(size_t((queries + references) * dim)) {}
    float* row(int64_t i) { return values.data() + i * dim; }
    int64_t rows() const { return queries + references; }
    void fill(const std::function<float(int64_t row, int64_t column)>& value) {
        for (int64_t r = 0; r < rows(); ++r)
            for (int64_t c = 0; c < dim; ++c) row(r)[c] = value(r, c);
    }
    void scale_queries(double factor) {
        for (int64_t i = 0; i < queries * dim; ++i) values[size_t(i)] = float(values[size_t(i)] * factor);
    }
    void scale_references(double factor) {
        for (size_t i = size_t(queries * dim); i < values.size(); ++i) values[i] = float(values[i] * factor);
    }

    KnnProblem problem(int64_t k) const {
        KnnProblem problem;
        problem.queries = {values.data(), DType::float32, queries, dim, dim};
        problem.references = {values.data() + queries * dim, DType::float32, references, dim, dim};
        problem.k = std::min(k, references);
        return problem;
    }
};

void check(const Rows& rows, int64_t k, const std::string& what) {
    KnnProblem problem = rows.problem(k);
    for (KnnMetric metric : kMetrics) {
        problem.metric = metric;
        check_all_executors(problem, what.c_str());
    }
    problem.queries = problem.references = {rows.values.data(), DType::float32, rows.rows(), rows.dim, rows.dim};
    if (rows.rows() > 300 && kSanitized) return;
    for (KnnMetric metric : kMetrics) {
        problem.metric = metric;
        check_all_executors(problem, (what + ", of itself").c_str());
    }
}

Rows collapsed(Random& random, int64_t queries, int64_t references, int64_t dim, float within) {
    Rows rows(queries, references, dim);
    std::vector<float> centres(size_t(5 * dim));
    for (float& x : centres) x = normal(random);
    for (int64_t r = 0; r < rows.rows(); ++r) {
        const float* centre = centres.data() + below(random, 5) * dim;
        for (int64_t c = 0; c < dim; ++c) rows.row(r)[c] = centre[c] + within * normal(random);
    }
    return rows;
}

void test_magnitudes_far_apart() {
    for (double of_queries : {1e-38, 1e-30, 1e-8, 1.0, 1e20, 1e36}) {
        for (double of_references : {1e-38, 1e-30, 1.0, 1e20, 1e36}) {
            if (kSanitized && of_queries * of_references > 1e-9 && of_queries * of_references < 1e9) continue;
            Random random(1);
            Rows rows = collapsed(random, 24, 150, 9, 0.1f);
            rows.scale_queries(of_queries);
            rows.scale_references(of_references);
            check(rows, 7,
                  "magnitudes " + std::to_string(std::log10(of_queries)) + " and " +
                      std::to_string(std::log10(of_references)));
        }
    }
}

void test_collapsed_classes() {
    for (float within : {0.03f, 0.003f, 1e-6f, 0.0f}) {
        Random random(2);
        check(collapsed(random, 70, 500, 17, within), 12, "collapsed classes");
    }
}

void test_mixed_magnitudes() {
    Random random(3);
    for (int kind = 0; kind < 6; ++kind) {
        Rows rows(20, 330, 19);
        rows.fill([&](int64_t, int64_t) { return normal(random); });
        for (int64_t r = 0; r < rows.rows(); ++r) {
            const double factor = kind == 0   ? std::exp(3.0 * normal(random))
                                  : kind == 1 ? (r % 2 ? 1e-35 : 1.0)
                                  : kind == 2 ? (r == 60 ? 1e6 : 1.0)
                                  : kind == 3 ? (r == 60 ? 1e25 : 1.0)
                                  : kind == 4 ? 1e-41
                                              : (r % 3 ? 0.0 : 1.0);
            for (int64_t c = 0; c < rows.dim; ++c) rows.row(r)[c] = float(rows.row(r)[c] * factor);
        }
        check(rows, 9, "mixed magnitudes " + std::to_string(kind));
    }
}

void test_ties_and_offsets() {
    Random random(4);
    Rows same(9, 400, 5);
    same.fill([](int64_t, int64_t c) { return 0.1f * float(c + 1); });
    check(same, 11, "all equal");
    Rows one_hot(20, 400, 17);
    one_hot.fill([](int64_t r, int64_t c) { return r % 17 == c ? 1.0f : 0.0f; });
    check(one_hot, 30, "one-hot");
    for (float offset : {1e3f, 1e6f, 8388608.0f}) {
        Rows far(12, 300, 21);
        far.fill([&](int64_t, int64_t c) { return normal(random) + offset * float(c % 3 - 1); });
        check(far, 10, "common offset");
    }
}

// Rows half a quantum of 2^-bits off their grid; all residuals point along (first five references) or against the
// query.
void test_aligned_residuals() {
    for (int bits = 4; bits <= 15; bits += kSanitized ? 4 : 1) {
        for (bool mirrored : {false, true}) {
            Random random(5);
            const int64_t dim = 33;
            Rows rows(5, mirrored ? 400 : 200, dim);
            const float quantum = std::ldexp(1.0f, -bits), off = 0.498f;
            std::vector<float> sign(static_cast<size_t>(dim));
            for (float& s : sign) s = below(random, 2) ? 1.0f : -1.0f;
            rows.fill([&](int64_t r, int64_t c) {
                if (r < rows.queries) return sign[size_t(c)] * (r == 4 ? 1024.0f : 1.0f);
                return 0.0f;
            });
            for (int64_t r = 0; r < 200; ++r) {
                float* const row = rows.row(rows.queries + r);
                for (int64_t c = 0; c < dim; ++c) {
                    if (c % 2 == 0) row[c] = float(below(random, 1 << bits) - (1 << (bits - 1)));
                    if (c % 2 == 1) row[c] = -row[c - 1];
                }
                for (int64_t c = 0; c < dim; ++c)
                    row[c] = sign[size_t(c)] * quantum * (r < 5 ? row[c] + off : row[c] + (c < dim - 2) - off);
                if (mirrored)
                    for (int64_t c = 0; c < dim; ++c) rows.row(rows.queries + 200 + r)[c] = -row[c];
            }
            check(rows, 5, "aligned residuals, " + std::to_string(bits) + " bits");
        }
    }
}

// Parallel rows of equal elements, alternating signs and spikes, just off powers of two: the largest 32-bit sums.
void test_norms_at_the_limit() {
    const float sizes[] = {1, std::nextafter(1.0f, 0.0f), std::nextafter(1.0f, 2.0f), 0.70710677f, 1.9999999f};
    for (int64_t dim : {1, 2, 3, 16, 33, 257}) {
        Rows rows(30, 30 * 8, dim);
        rows.fill([&](int64_t r, int64_t c) {
            const int64_t kind = r % 30 / 5;
            const float size = sizes[r % 5] * (kind % 2 ? -1.0f : 1.0f);
            if (kind < 2) return size;
            if (kind < 4) return c % 2 ? size : -size;
            return c == dim - 1 ? size * std::sqrt(float(dim)) : 0.0f;
        });
        check(rows, 13, "norms at the limit, " + std::to_string(dim) + " columns");
    }
}

// The products of a tile are exact integers, whatever signs and places the largest rows have.
void test_tiles_of_the_longest_rows() {
    Random random(6);
    for (const KnnKernels& kernels : all_kernels()) {
        for (int64_t dim : {1, 2, 7, 64, 129, 1000}) {
            const int64_t pairs = (dim + 1) / 2, columns = kernels.panel_columns;
            const auto longest = [&](std::vector<int16_t>& values, int64_t count) {
                values.assign(size_t(count * 2 * pairs), 0);
                for (int64_t r = 0; r < count; ++r) {
                    const int kind = below(random, 3);
                    const auto element = int16_t(kInt16Length / std::sqrt(double(dim)));
                    for (int64_t c = 0; c < dim; ++c) {
                        const bool negative = kind == 0 ? false : kind == 1 ? true : below(random, 2);
                        values[size_t(r * 2 * pairs + c)] = negative ? int16_t(-element) : element;
                    }
                    if (below(random, 4)) continue;
                    std::fill_n(values.begin() + r * 2 * pairs, 2 * pairs, int16_t(0));
                    values[size_t(r * 2 * pairs + below(random, int(dim)))] =
                        int16_t(below(random, 2) ? kInt16Length : -kInt16Length);
                }
            };
            std::vector<int16_t> queries, references, panel(size_t(columns * 2 * pairs));
            longest(queries, kernels.int16_rows);
            longest(references, columns);
            kernels.interleave(references.data(), pairs, pairs, panel.data());
            std::vector<const int16_t*> rows;
            for (int r = 0; r < kernels.int16_rows; ++r) rows.push_back(queries.data() + r * 2 * pairs);
            const std::vector<float> unit(size_t(kernels.int16_rows), 1.0f), bias(size_t(columns), 0.0f);
            const std::vector<float> open(size_t(kernels.int16_rows), -std::numeric_limits<float>::max());
            std::vector<TileHit> hits(kMaxTileHits);
            const int count = kernels.scan_int16(
                {rows.data(), panel.data(), pairs, unit.data(), open.data(), bias.data()}, hits.data());
            CHECK(count == kernels.int16_rows * columns, "%s reported %d pairs", kernels.name, count);
            for (int h = 0; h < count; ++h) {
                const TileHit& hit = hits[size_t(h)];
                int64_t product = 0;
                for (int64_t c = 0; c < dim; ++c)
                    product += int64_t(rows[size_t(hit.row)][c]) * references[size_t(hit.column * 2 * pairs + c)];
                CHECK(hit.upper == float(product), "%s, %d columns", kernels.name, int(dim));
            }
        }
    }
}

// The measured residual is at least the true one, also where every element is half way between two integers.
void test_quantized_rows() {
    Random random(7);
    for (const KnnKernels& kernels : all_kernels()) {
        for (int64_t dim : {1, 5, 8, 31, 512, 4097}) {
            for (int kind = 0; kind < 4; ++kind) {
                std::vector<float> row(static_cast<size_t>(dim));
                for (float& x : row)
                    x = kind == 0   ? float(below(random, 400)) - 199.5f
                        : kind == 1 ? 400 * normal(random)
                        : kind == 2 ? 0.5f * float(below(random, 3) - 1)
                                    : std::ldexp(normal(random), -30);
                std::vector<int16_t> out(static_cast<size_t>(dim));
                const double bound = kernels.quantize(row.data(), 1.0f, dim, out.data());
                double squares = 0;
                for (size_t i = 0; i < row.size(); ++i) {
                    CHECK(std::fabs(double(row[i]) - out[i]) <= 0.5, "%s", kernels.name);
                    squares += (double(row[i]) - out[i]) * (double(row[i]) - out[i]);
                }
                CHECK(bound >= squares && bound <= 1.01 * squares, "%s, %d columns", kernels.name, int(dim));
            }
        }
    }
}

void test_scales_keep_rows_inside_16_bit() {
    for (double length :
         {0.0, 1e-300, 1e-20, 0.9999999, 1.0, 1.0000001, 1.99997, 1.99999, 2.0, 3e4, 32767.0, 32768.0, 1e18}) {
        const double scale = int16_scale(length);
        CHECK(scale * length <= kInt16Length, "length %g", length);
        CHECK(scale * length >= kInt16Length / 4.1 || scale == std::ldexp(1.0, kInt16LargestExponent), "length %g",
              length);
        int exponent = 0;
        CHECK(std::frexp(scale, &exponent) == 0.5, "a power of two");
    }
}

// One index, read by several callers at once, each with its own queries, metric's twin and restrictions.
void test_an_index_shared_by_callers() {
    Random random(8);
    Rows rows = collapsed(random, 90, 900, 13, 0.05f);
    std::vector<uint8_t> mask(900);
    std::vector<int64_t> exclude(90);
    for (uint8_t& x : mask) x = below(random, 4) != 0;
    for (int64_t& x : exclude) x = below(random, 900);
    for (KnnMetric metric : kMetrics) {
        KnnProblem problem = rows.problem(8);
        problem.metric = metric;
        const KnnIndex index(problem.references, metric, 2, detected_simd_level());
        std::vector<std::thread> callers;
        for (int caller = 0; caller < 4; ++caller) {
            callers.emplace_back([&, caller] {
                KnnProblem own = problem;
                if (caller % 2) own.mask = mask.data(), own.exclude = exclude.data();
                own.queries.rows = 90 - 20 * caller;
                Search oracle(own), found(own);
                knn_search_reference(oracle.problem);
                const KnnOptions options{1 + caller % 2, detected_simd_level(), KnnPath::automatic, true, &index};
                knn_search_cpu(found.problem, options);
                CHECK(found.same_as(oracle), "caller %d, metric %d", caller, int(own.metric));
            });
        }
        for (std::thread& caller : callers) caller.join();
    }
}

}  // namespace

int main() {
    test_scales_keep_rows_inside_16_bit();
    test_quantized_rows();
    test_tiles_of_the_longest_rows();
    test_an_index_shared_by_callers();
    test_collapsed_classes();
    test_mixed_magnitudes();
    if (!kRacesOnly) {
        test_ties_and_offsets();
        test_aligned_residuals();
        test_norms_at_the_limit();
        test_magnitudes_far_apart();
    }
    std::puts("knn, adversarial: ok");
}
