// knn/bound.h: how far a float32 score can be from the float64 key, each constant derived in docs/knn-bound.md.
#pragma once

#include <cmath>
#include <cstdint>

#include "knn/metric.h"
#include "rote/host_device.h"

namespace rote {

constexpr double kHalfUlp = 1.0 / (1 << 24);               // unit roundoff of float32
constexpr double kLargestNorm = double(int64_t(1) << 60);  // of a packed row; beyond it the row is not bounded at all

/// |score - s*| <= per_norm |q| n + per_square n^2 + a constant of the query, for a packed query and a packed reference
/// of norm n. `depth` is the longest chain of roundings of a partial sum, `fused` says that products are not rounded.
struct ScoreBound {
    double per_norm;
    double per_square;
};

ROTE_HD ScoreBound score_bound(KnnMetric metric, int64_t depth, bool fused) {
    const double roundings = double(depth) + (fused ? 8.0 : 9.0);
    return {1.07 * roundings * kHalfUlp, is_squared_distance(metric) ? 4 * kHalfUlp : 0.0};
}

/// Longest chain of roundings of a sum over `dim` terms in blocks of `block`.
ROTE_HD int64_t sum_depth(int64_t dim, int64_t block) {
    return dim <= block ? dim : block + (dim + block - 1) / block;
}

/// The part of the bound that does not depend on the reference: rounding of the float64 key itself, float32 subnormals.
/// `query_norm` is the packed query's, `centre_norm` that of the centre in packed units, `scale` the packed unit.
ROTE_HD double query_slack(KnnMetric metric, int64_t dim, double query_norm, double centre_norm, double scale) {
    const double key_rounding = (double(dim) / 8 + 16) / double(int64_t(1) << 52);
    const double subnormals = double(dim) / (double(int64_t(1) << 40) * double(int64_t(1) << 40));
    if (is_squared_distance(metric)) return key_rounding * query_norm * query_norm + subnormals;
    if (metric == KnnMetric::ip) return key_rounding * query_norm * centre_norm + subnormals;
    return 8 * key_rounding * query_norm * scale + subnormals;
}

/// The smallest float not below a finite double of float's range.
inline float round_up(double value) {
    const float nearest = float(value);
    return double(nearest) < value ? std::nextafterf(nearest, INFINITY) : nearest;
}

inline float round_down(double value) {
    return -round_up(-value);
}

}  // namespace rote
