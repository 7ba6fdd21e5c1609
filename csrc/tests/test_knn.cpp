// tests/test_knn.cpp: keys, the score bound, and every executor against the oracle.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "knn/bound.h"
#include "knn/metric.h"
#include "knn_executors.h"
#include "rote/error.h"
#include "rote/knn.h"

using namespace rote;

namespace {

void test_keys() {
    // 0 + 1 + 4 + ... in exact integers; the lanes and the tree must not matter here.
    std::vector<double> query(21), reference(21);
    for (int i = 0; i < 21; ++i) query[size_t(i)] = 2 * i, reference[size_t(i)] = i;
    CHECK(pair_key(KnnMetric::l2, query.data(), reference.data(), 21) == 2870);
    CHECK(pair_key(KnnMetric::ip, query.data(), reference.data(), 21) == -2 * 2870);
    CHECK(pair_key(KnnMetric::cosine, query.data(), reference.data(), 21) == -1);
    const double zero[2] = {0, 0}, one[2] = {1, 0}, huge[2] = {1e300, -1e300}, same[2] = {1e300, 1e300};
    CHECK(pair_key(KnnMetric::cosine, zero, one, 2) == 0 && distance_from_key(KnnMetric::cosine, 0) == 1);
    CHECK(pair_key(KnnMetric::ip, huge, same, 2) == INFINITY, "inf - inf is the worst product");
    CHECK(comes_before(1, 5, 2, 0) && comes_before(1, 0, 1, 5) && !comes_before(1, 5, 1, 5));
    CHECK(distance_from_key(KnnMetric::l2, 9) == 3 && distance_from_key(KnnMetric::ip, -2) == 2);
}

void test_kernel_keys_have_the_bits_of_the_definition() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (int64_t dim : {1, 5, 8, 9, 31, 64, 513}) {
        std::vector<float> q(static_cast<size_t>(dim)), r(static_cast<size_t>(dim));
        for (float& x : q) x = normal(random);
        for (float& x : r) x = normal(random);
        const std::vector<double> wide_q(q.begin(), q.end()), wide_r(r.begin(), r.end());
        for (const KnnKernels& kernels : all_kernels()) {
            const double squared = pair_key(KnnMetric::l2, q.data(), r.data(), dim);
            const double product = -pair_key(KnnMetric::ip, q.data(), r.data(), dim);
            CHECK(kernels.squared_f32(wide_q.data(), r.data(), dim) == squared, "%s", kernels.name);
            CHECK(kernels.squared_f64(wide_q.data(), wide_r.data(), dim) == squared, "%s", kernels.name);
            CHECK(kernels.product_f32(wide_q.data(), r.data(), dim) == product, "%s", kernels.name);
            CHECK(kernels.product_f64(wide_q.data(), wide_r.data(), dim) == product, "%s", kernels.name);
        }
    }
}

// Data that drives rounding errors one way: equal terms whose partial sums all round in the same direction.
void test_bound_holds_for_biased_sums() {
    for (const KnnKernels& kernels : all_kernels()) {
        for (int64_t dim : {7, 512, 513, 3000}) {
            const ScoreBound bound = score_bound(KnnMetric::ip, sum_depth(dim, kSumBlock), kernels.fused);
            for (float value : {1.0f / 3, 0.1f, 1.7320508f, 1.0000001f}) {
                const auto rows = size_t(kernels.query_rows), columns = size_t(kernels.panel_columns);
                std::vector<float> queries(rows * size_t(dim), value), references(columns * size_t(dim), value);
                const double norm = std::sqrt(double(dim)) * value;
                const double exact = double(value) * double(value) * double(dim);
                const std::vector<float> slack(rows, round_up(bound.per_norm * norm)), norms(columns, round_up(norm));
                const std::vector<float> open(rows, -std::numeric_limits<float>::max()), bias(columns, 0.0f);
                std::vector<TileHit> hits(kMaxTileHits);
                const int count = kernels.scan_tile(
                    {queries.data(), references.data(), dim, slack.data(), open.data(), norms.data(), bias.data()},
                    hits.data());
                CHECK(count == int(rows * columns), "%s reported %d pairs", kernels.name, count);
                const double width = double(slack[0]) * double(norms[0]);
                for (int h = 0; h < count; ++h) {
                    CHECK(hits[size_t(h)].upper >= exact, "%s, dim %d", kernels.name, int(dim));
                    CHECK(hits[size_t(h)].upper - 2 * width <= exact, "%s, dim %d", kernels.name, int(dim));
                }
            }
        }
    }
}

void test_random_problems() {
    std::mt19937 random(2);
    const auto below = [&](int n) { return int(random() % unsigned(n)); };
    for (int round = 0; round < (kSanitized ? 12 : 60); ++round) {
        const int64_t rows = 1 + below(30), total = 1 + below(round % 5 ? 500 : 3000), dim = 1 + below(80);
        const bool integers = round % 3 == 0;
        std::vector<float> values(size_t((rows + total) * dim));
        std::normal_distribution<float> normal(round % 4 ? 0.0f : 20.0f);
        for (float& x : values) x = integers ? float(below(4)) : normal(random);
        if (round % 6 == 1) values[size_t(below(int(values.size())))] = NAN;
        if (round % 7 == 1)
            for (float& x : values) x *= 1e-42f;
        std::vector<int64_t> exclude(static_cast<size_t>(rows)), query_groups(static_cast<size_t>(rows)),
            reference_groups(static_cast<size_t>(total));
        std::vector<uint8_t> mask(static_cast<size_t>(total));
        for (int64_t& x : exclude) x = below(int(total) + 1) - 1;
        for (int64_t& x : query_groups) x = below(3);
        for (int64_t& x : reference_groups) x = below(3);
        for (uint8_t& x : mask) x = below(5) != 0;
        KnnProblem problem;
        problem.queries = {values.data(), DType::float32, rows, dim, dim};
        problem.references = {values.data() + rows * dim, DType::float32, total, dim, dim};
        problem.k = 1 + below(int(total));
        for (KnnMetric metric : kMetrics) {
            problem.metric = metric;
            problem.exclude = nullptr, problem.mask = nullptr;
            problem.query_groups = nullptr, problem.reference_groups = nullptr;
            check_all_executors(problem, "plain");
            problem.exclude = exclude.data(), problem.mask = mask.data();
            problem.query_groups = query_groups.data(), problem.reference_groups = reference_groups.data();
            check_all_executors(problem, "with every option");
        }
    }
}

void test_checks() {
    const float values[4] = {};
    KnnProblem problem;
    problem.queries = {values, DType::float32, 2, 2, 2};
    problem.references = {values, DType::float32, 2, 2, 2};
    problem.k = 3;
    CHECK_THROWS(ArgumentError, check_knn_problem(problem));
    problem.k = 0;
    CHECK_THROWS(ArgumentError, check_knn_problem(problem));
    problem.k = 1;
    check_knn_problem(problem);
    problem.references.columns = 1;
    CHECK_THROWS(ArgumentError, check_knn_problem(problem));
}

}  // namespace

int main() {
    test_keys();
    test_kernel_keys_have_the_bits_of_the_definition();
    test_bound_holds_for_biased_sums();
    test_random_problems();
    test_checks();
    std::puts("knn: ok");
}
