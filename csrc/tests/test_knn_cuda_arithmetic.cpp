// tests/test_knn_cuda_arithmetic.cpp: the bound of the fp16 pass, through the headers the kernels use: rows are packed
// here, multiplied as badly as a tensor core may, and every pair's key must lie in the interval the pass believes in.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "knn/cuda/half_bound.h"
#include "knn/cuda/half_pack.h"
#include "knn/cuda/half_plan.h"
#include "tensor_core_model.h"

using namespace rote;

namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

constexpr KnnMetric kMetrics[] = {KnnMetric::l2, KnnMetric::cosine, KnnMetric::ip};

struct Frame {
    Row centre, offset;  // of the search; of the block's frame, placed
    Placing placing;
    double offset_norm = 0;
};

double norm_of(const Row& row) {
    double squares = 0;
    for (double value : row) squares += value * value;
    return std::sqrt(squares);
}

double factor_of(KnnMetric metric, const Row& row, bool& safe) {
    safe = true;
    return metric == KnnMetric::cosine ? unit_factor(norm_of(row) * norm_of(row), safe) : 1;
}

// The mean of the references and the median length about it; the block's frame is a reference.
Frame choose_frame(KnnMetric metric, const Rows& references, bool with_frame) {
    const size_t dim = references[0].size();
    Frame frame;
    frame.centre.assign(dim, 0);
    bool safe = true;
    for (const Row& row : references)
        for (size_t i = 0; i < dim; ++i)
            frame.centre[i] += row[i] * factor_of(metric, row, safe) / double(references.size());
    std::vector<double> lengths;
    for (const Row& row : references) {
        Row moved(dim);
        for (size_t i = 0; i < dim; ++i) moved[i] = placed(row[i], factor_of(metric, row, safe), frame.centre[i], 1);
        lengths.push_back(norm_of(moved));
    }
    std::nth_element(lengths.begin(), lengths.begin() + ptrdiff_t(lengths.size() / 2), lengths.end());
    const int limit = metric == KnnMetric::cosine ? kLargestUnitPlacing : kLargestPlacing;
    frame.placing = {unit_scale(lengths[lengths.size() / 2], limit), 0};
    frame.placing.centre_norm = norm_of(frame.centre) * frame.placing.scale * kNormUp;
    frame.offset.assign(dim, 0);
    if (with_frame)
        for (size_t i = 0; i < dim; ++i)
            frame.offset[i] = float(
                placed(references[0][i], factor_of(metric, references[0], safe), frame.centre[i], frame.placing.scale));
    frame.offset_norm = norm_of(frame.offset) * kNormUp;
    return frame;
}

struct PackedRow {
    bool bounded = true;
    std::vector<Half> halves;
    Row values;  // placed
    PackedSums sums;
    float scale = 1, bias = 0;
    double own_bias = 0, query_scale = 1, factor = 1;
};

PackedRow place_row(KnnMetric metric, const Row& row, const Frame& frame, bool is_query) {
    PackedRow out;
    out.factor = factor_of(metric, row, out.bounded);
    const bool bare = is_query && metric == KnnMetric::ip;
    double scale = frame.placing.scale;
    if (bare) scale = out.query_scale = unit_scale(norm_of(row), kLargestPlacing);
    for (size_t i = 0; i < row.size(); ++i)
        out.values.push_back(placed(row[i], out.factor, bare ? 0.0 : frame.centre[i], scale));
    if (is_query && metric == KnnMetric::cosine && out.factor == 0) out.bounded = false;
    out.bounded = out.bounded && norm_of(out.values) * kNormUp <= kLargestPlaced;
    return out;
}

void pack_row(PackedRow& row, const Row& offset, float scale, int64_t depth) {
    row.scale = scale;
    for (size_t i = 0; i < row.values.size(); ++i)
        row.halves.push_back(row.sums.add(row.values[i], offset[i], double(scale)));
    row.halves.resize(size_t(depth), Half{0});
}

double largest_of(const PackedRow& row, const Row& offset) {
    double largest = 0;
    for (size_t i = 0; i < offset.size(); ++i) largest = std::max(largest, std::fabs(row.values[i] - offset[i]));
    return largest;
}

float tensor_core_product(const std::vector<Half>& a, const std::vector<Half>& b, int group, bool away) {
    float sum = 0;
    for (size_t first = 0; first < a.size(); first += kStepDepth) {
        double products[kStepDepth];
        for (int i = 0; i < kStepDepth; ++i)
            products[i] = double(to_float(a[first + size_t(i)])) * double(to_float(b[first + size_t(i)]));
        sum = tensor_core_step(sum, products, group, away);
    }
    return sum;
}

/// Every pair of the data in its interval; returns the mean width of an interval over the spread of the scores.
double check_data(const char* name, KnnMetric metric, const Rows& queries, const Rows& references, bool with_frame) {
    const int64_t dim = int64_t(queries[0].size()), depth = (dim + kDepthStep - 1) / kDepthStep * kDepthStep;
    const Frame frame = choose_frame(metric, references, with_frame);
    std::vector<PackedRow> block;
    double largest = 0;
    for (const Row& row : references) {
        block.push_back(place_row(metric, row, frame, false));
        if (block.back().bounded) largest = std::max(largest, largest_of(block.back(), frame.offset));
    }
    RowTerms terms;
    const float scale = packed_scale(largest);
    for (PackedRow& row : block) {
        if (!row.bounded) continue;
        pack_row(row, frame.offset, scale, depth);
        row.own_bias = reference_bias(metric, row.sums, row.factor, frame.placing);
        row.bias = float(row.own_bias * double(scale));
        terms.widen(row_terms(row.sums, row.own_bias, double(scale), frame.offset_norm));
    }
    const BlockTerms block_side = block_terms(metric, dim, terms, scale, 0);

    double width = 0, least = INFINITY, most = -INFINITY;
    int64_t pairs = 0;
    const Row nothing(size_t(dim), 0.0);
    for (size_t q = 0; q < queries.size(); ++q) {
        PackedRow query = place_row(metric, queries[q], frame, true);
        if (!query.bounded) continue;
        pack_row(query, nothing, packed_scale(largest_of(query, nothing)), depth);
        const QueryTerms query_side = query_terms(metric, dim, depth, query.sums, query.scale, frame.placing);
        double base = 0, product = 0;
        for (size_t i = 0; i < size_t(dim); ++i) {
            const double difference = query.values[i] - frame.offset[i];
            base += is_distance_score(metric) ? -0.5 * difference * difference : query.values[i] * frame.offset[i];
            product += query.values[i] * frame.centre[i] * frame.placing.scale;
        }
        const KeyScale keys = key_scale(metric, frame.placing.scale, query.query_scale, product);
        for (size_t r = 0; r < references.size(); ++r) {
            if (!block[r].bounded) continue;
            const double score = keys.score(pair_key(metric, queries[q].data(), references[r].data(), dim));
            for (int group : {4, 8, 16}) {
                const float sum = tensor_core_product(query.halves, block[r].halves, group, (q + r) % 2);
                const float packed = packed_score(sum, block[r].bias, query.scale);
                const ScoreInterval interval = score_interval(query_side, block_side, float(base), packed);
                CHECK(interval.lower <= score && score <= interval.upper,
                      "%s, metric %d, query %zu, reference %zu: %.17g not in [%.9g, %.9g]", name, int(metric), q, r,
                      score, double(interval.lower), double(interval.upper));
                // Whoever misses the limit of a threshold is certainly below it; whoever reaches the score is let in.
                for (float threshold : {float_below(score), float_above(score), interval.lower, interval.upper}) {
                    const bool hit = packed >= packed_limit(query_side, block_side, float(base), threshold);
                    CHECK(hit || score < threshold, "%s, metric %d: cut off at %.9g", name, int(metric),
                          double(threshold));
                }
                width += double(interval.upper) - double(interval.lower);
                ++pairs;
            }
            least = std::min(least, score);
            most = std::max(most, score);
        }
    }
    return pairs && most > least ? width / double(pairs) / (most - least) : 0;
}

Rows random_rows(size_t count, size_t dim, unsigned seed, const std::function<double(std::mt19937&, size_t)>& value) {
    std::mt19937 random(seed);
    Rows rows(count, Row(dim));
    for (Row& row : rows)
        for (size_t i = 0; i < dim; ++i) row[i] = value(random, i);
    return rows;
}

double normal(std::mt19937& random) {
    return std::normal_distribution<double>()(random);
}

struct Data {
    std::string name;
    Rows queries, references;
};

std::vector<Data> hostile_data() {
    std::vector<Data> all;
    const auto add = [&](const char* name, size_t dim, const std::function<double(std::mt19937&, size_t)>& value) {
        all.push_back({name, random_rows(9, dim, 1, value), random_rows(60, dim, 2, value)});
    };
    add("normal", 70, [](std::mt19937& r, size_t) { return normal(r); });
    add("common mean", 70, [](std::mt19937& r, size_t) { return normal(r) + 1000; });
    add("dynamic range", 130, [](std::mt19937& r, size_t) { return normal(r) * std::exp(8 * normal(r)); });
    add("columns of all sizes", 64, [](std::mt19937& r, size_t i) { return normal(r) * std::ldexp(1.0, int(i) - 32); });
    add("alternating large", 128, [](std::mt19937& r, size_t i) { return (i % 2 ? 1e4 : -1e4) + normal(r); });
    add("denormals", 40, [](std::mt19937& r, size_t) { return normal(r) * 1e-310; });
    add("large", 40, [](std::mt19937& r, size_t) { return normal(r) * 1e120; });
    add("small", 40, [](std::mt19937& r, size_t) { return normal(r) * 1e-120; });
    add("one element", 1, [](std::mt19937& r, size_t) { return normal(r); });
    add("signs", 200, [](std::mt19937& r, size_t) { return normal(r) < 0 ? -1.0 : 1.0; });
    add("sparse", 100, [](std::mt19937& r, size_t) { return normal(r) > 2 ? normal(r) : 0.0; });
    // Every element just below a rounding boundary of fp16, all with the same sign: residuals add up.
    add("worst rounding", 256, [](std::mt19937&, size_t) { return 1 + 0x1p-11 - 0x1p-30; });
    // Large products that cancel against what went before: the running sum loses its low bits at every step.
    add("cancellation", 256,
        [](std::mt19937& r, size_t i) { return (i / 16 % 2 ? -1 : 1) * 100.0 + normal(r) * 1e-3; });

    Data onehot{"one-hot", Rows(9, Row(40)), Rows(60, Row(40))};
    for (size_t r = 0; r < 60; ++r) onehot.references[r][r % 40] = 1;
    for (size_t r = 0; r < 9; ++r) onehot.queries[r][r] = 1;
    all.push_back(onehot);
    Data collapsed = all[0];
    collapsed.name = "collapsed class";
    for (Row& row : collapsed.references)
        for (size_t i = 0; i < row.size(); ++i) row[i] = all[0].references[0][i] + 0.003 * row[i];
    collapsed.queries = collapsed.references;
    collapsed.queries.resize(9);
    all.push_back(collapsed);
    Data duplicates = all[0];
    duplicates.name = "duplicates";
    for (Row& row : duplicates.references) row = all[0].queries[0];
    all.push_back(duplicates);
    Data long_row = all[0];
    long_row.name = "one long row";
    for (double& value : long_row.references[7]) value *= 1e5;
    for (double& value : long_row.references[8]) value *= 1e30;
    for (double& value : long_row.references[9]) value = 0;
    for (double& value : long_row.queries[3]) value = 0;
    all.push_back(long_row);
    return all;
}

void test_bound() {
    for (const Data& data : hostile_data())
        for (KnnMetric metric : kMetrics)
            for (bool with_frame : {false, true})
                check_data(data.name.c_str(), metric, data.queries, data.references, with_frame);
}

// A bound that holds because it is useless would pass the test above.
void test_bound_is_tight_enough() {
    const Data data = hostile_data()[0];
    for (KnnMetric metric : kMetrics) {
        const double width = check_data("normal", metric, data.queries, data.references, false);
        CHECK(width > 0 && width < 0.01, "metric %d: intervals take %.3g of the scores' range", int(metric), width);
    }
    Data collapsed = hostile_data()[14];
    CHECK(collapsed.name == "collapsed class");
    const double plain = check_data("collapsed", KnnMetric::l2, collapsed.queries, collapsed.references, false);
    CHECK(plain < 0.02, "collapsed about the mean: %.3g", plain);
}

void test_halves() {
    CHECK(pack_half(0x1p-15).bits == 0 && pack_half(-0x1p-15).bits == 0, "subnormals are flushed");
    CHECK(to_float(pack_half(0x1p-14)) == 0x1p-14f);
    CHECK(to_float(pack_half(-32767.9)) == -32768.0f);
    for (double largest : {1e-300, 1e-9, 0.3, 1.0, 1.99, 77.0, kLargestPlaced}) {
        const double top = largest * double(packed_scale(largest));
        CHECK(top < 65504 && (top >= 1 << kHalfTop || packed_scale(largest) == std::ldexp(1.0f, kHighestPackedScale)));
    }
    CHECK(packed_scale(0) == 1);
    for (double value : {0.0, 1.0, -1.0, 1.0 / 3, -1e30, 1e-44, 0x1p-149 * 1.5}) {
        CHECK(double(float_above(value)) >= value && double(float_below(value)) <= value, "%g", value);
    }
    CHECK(packed_limit({1, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}, -5, INFINITY) == INFINITY);
    CHECK(packed_limit({1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 0}, -5, -FLT_MAX) == -FLT_MAX);
    CHECK(!(packed_score(0, -INFINITY, 1) >= -FLT_MAX), "no reference never passes");
}

void test_plan() {
    for (int64_t references : {1, 255, 256, 257, 5000, 50000, 60001, 1000000, 10000019}) {
        for (int64_t k : {1, 10, 20, 128, 200, 1000, 4096}) {
            if (k > references) continue;
            const HalfPlan plan = HalfPlan::of(50000, references, 512, k);
            CHECK(plan.slices.back() == plan.blocks && plan.blocks * kBlockReferences >= references);
            CHECK(std::is_sorted(plan.slices.begin(), plan.slices.end()) && plan.slices.front() >= 1);
            CHECK(plan.slices.front() * kBlockReferences <= plan.capacity, "the first slice lets everything in");
            CHECK(std::find(plan.slices.begin(), plan.slices.end(), plan.mixed_blocks) != plan.slices.end());
            const int64_t growth = HalfPlan::growth(k, plan.capacity);
            for (size_t s = 1; s < plan.slices.size(); ++s) {
                CHECK(plan.slices[s] > plan.slices[s - 1]);
                CHECK(plan.slices[s] <= (growth + 1) * plan.slices[s - 1] || growth == 2, "N %lld, k %lld",
                      static_cast<long long>(references), static_cast<long long>(k));
            }
            CHECK(std::gcd(plan.multiplier, references) == 1 && plan.multiplier < int64_t(1) << 31);
            const int64_t sorted = plan.blocks - plan.mixed_blocks;
            CHECK(sorted == 0 || std::gcd(plan.stride, sorted) == 1);
            CHECK(plan.chunk_rows % kTileQueries == 0 && plan.chunk_rows > 0);
            CHECK((plan.capacity & (plan.capacity - 1)) == 0 && plan.capacity >= 8 * k, "sorting wants powers of two");
        }
    }
}

}  // namespace

int main() {
    test_halves();
    test_plan();
    test_bound();
    test_bound_is_tight_enough();
}
