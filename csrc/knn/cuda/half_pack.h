// knn/cuda/half_pack.h: how a row becomes fp16: placed (centred and scaled), then rounded in units of its block; host
// and device. Nothing here needs to be exact but what is said to be measured (docs/knn-cuda.md).
#pragma once

#include <cmath>
#include <cstdint>

#include "knn/cuda/half_bound.h"
#include "knn/metric.h"
#include "rote/dtype.h"
#include "rote/host_device.h"

namespace rote {

constexpr double kLargestPlaced = double(1 << 24);  // norm of a placed row; beyond it the row has no bound
constexpr double kLargestCosineSquare = 0x1p480;    // squared norms between its reciprocal and itself make safe cosines
constexpr int kLargestPlacing = 400;                // exponent of the scales of placing: keys stay inside float64
constexpr int kLargestUnitPlacing = 20;             // the same for unit rows
constexpr int kHalfTop = 14;  // the largest element of a block lies in [2^14, 2^15): the most room below it
constexpr int kLowestPackedScale = -10, kHighestPackedScale = 36;

/// Floats not below, and not above, a double of float's range.
ROTE_HD float float_above(double value) {
    const float nearest = float(value);
    return nearest + (fabsf(nearest) * 0x1p-22f + 0x1p-120f);
}

ROTE_HD float float_below(double value) {
    return -float_above(-value);
}

/// A power of two that brings `value` into [1, 2), as far as `limit` allows.
ROTE_HD double unit_scale(double value, int limit) {
    if (!(value > 0)) return 1;
    const int exponent = -ilogb(value);
    return ldexp(1.0, exponent > limit ? limit : exponent < -limit ? -limit : exponent);
}

/// Scores are negative half squared distances for the L2 metrics, and for cosine, of unit rows; products otherwise.
ROTE_HD bool is_distance_score(KnnMetric metric) {
    return metric != KnnMetric::ip;
}

/// What rows of both matrices are measured against: `centre` is a row of the device's workspace.
struct Placing {
    double scale = 1;        // g, a power of two
    double centre_norm = 0;  // g |centre|, rounded up
};

/// An element of a placed row: (value * factor - centre) * scale. `factor` is 1 / |row| for cosine, else 1.
ROTE_HD double placed(double value, double factor, double centre, double scale) {
    return (value * factor - centre) * scale;
}

/// 1 / |row|, and 0 for a zero vector (its cosines are 0 in the key as well). `safe` is false where the key's own
/// product of squared norms may leave float64's range.
ROTE_HD double unit_factor(double squares, bool& safe) {
    safe = squares == 0 || (squares < kLargestCosineSquare && squares > 1 / kLargestCosineSquare);
    return squares > 0 && safe ? 1 / sqrt(squares) : 0;
}

/// The power of two of a block (or of a query) whose largest placed element is `largest`.
ROTE_HD float packed_scale(double largest) {
    if (!(largest > 0)) return 1;
    const int exponent = kHalfTop - ilogb(largest);
    return float(ldexp(1.0, exponent > kHighestPackedScale  ? kHighestPackedScale
                            : exponent < kLowestPackedScale ? kLowestPackedScale
                                                            : exponent));
}

/// One element in fp16: rounded, subnormals flushed. `value` is the placed element times the packed scale.
ROTE_HD Half pack_half(double value) {
    const Half half = to_half(float(value));
    return (half.bits & 0x7c00u) ? half : Half{0};
}

/// What is summed up over a row while it is packed, each lane its own share.
struct PackedSums {
    double placed_squares = 0;    // of the placed row
    double packed_squares = 0;    // of the packed row, in packed units
    double residual_squares = 0;  // of the difference, in packed units
    double centre_product = 0;    // with the frame's centre, of the row minus that centre
    double offset_squares = 0;    // of the row minus that centre

    /// `value` is the placed element, `centre` the frame's.
    ROTE_HD Half add(double value, double centre, double scale) {
        const double offset = value - centre, scaled = offset * scale;
        const Half half = pack_half(scaled);
        const double rounded = to_float(half), residual = scaled - rounded;
        placed_squares += value * value;
        packed_squares += rounded * rounded;
        residual_squares += residual * residual;
        centre_product += centre * offset;
        offset_squares += offset * offset;
        return half;
    }
};

constexpr double kNormUp = 1 + 0x1p-30;  // more than the rounding of any norm here

/// The terms of a packed query. `unit` is the rounding of unit rows, in placed units: 0 but for cosine.
ROTE_HD QueryTerms query_terms(KnnMetric metric, int64_t dim, int64_t depth, const PackedSums& sums, float scale,
                               const Placing& placing) {
    const double norm = sqrt(sums.placed_squares) * kNormUp;
    const double packed = sqrt(sums.packed_squares) * kNormUp / scale;
    const double residual = sqrt(sums.residual_squares) * kNormUp / scale;
    const double rounding = double_rounding(dim), unit = metric == KnnMetric::cosine ? placing.scale : 0.0;
    double constant = (double(dim) + 16) * 0x1p-80;
    constant +=
        is_distance_score(metric) ? rounding * (norm + unit) * (norm + unit) : rounding * norm * placing.centre_norm;
    return {scale, float_above(norm), float_above(residual + accumulation_bound(depth) * packed),
            float_above(rounding * (norm + unit)), float_above(constant)};
}

/// What a row adds to the terms of its block, all in placed units; a block takes the largest of each.
struct RowTerms {
    double residual = 0, length = 0, radius = 0, bias = 0;

    ROTE_HD void widen(const RowTerms& other) {
        residual = other.residual > residual ? other.residual : residual;
        length = other.length > length ? other.length : length;
        radius = other.radius > radius ? other.radius : radius;
        bias = other.bias > bias ? other.bias : bias;
    }
};

/// The part of a reference's score that no product holds, in placed units. A zero vector has cosine 0 to everything, as
/// if it were sqrt(2) away from every unit row; it lies 1 away.
ROTE_HD double reference_bias(KnnMetric metric, const PackedSums& sums, double factor, const Placing& placing) {
    if (!is_distance_score(metric)) return 0;
    const double missing = metric == KnnMetric::cosine && factor == 0 ? 0.5 * placing.scale * placing.scale : 0.0;
    return -(sums.centre_product + 0.5 * sums.offset_squares + missing);
}

ROTE_HD RowTerms row_terms(const PackedSums& sums, double bias, double scale, double frame_norm) {
    RowTerms terms;
    terms.residual = sqrt(sums.residual_squares) * kNormUp / scale;
    terms.length = sqrt(sums.packed_squares) * kNormUp / scale;
    terms.radius = (sqrt(sums.placed_squares) + frame_norm) * kNormUp;
    terms.bias = fabs(bias);
    return terms;
}

ROTE_HD BlockTerms block_terms(KnnMetric metric, int64_t dim, const RowTerms& largest, float scale, int32_t frame) {
    double constant = 4 * kFloatUlp * largest.bias;
    if (is_distance_score(metric)) constant += double_rounding(dim) * largest.radius * largest.radius;
    return {scale,
            float_above(largest.residual),
            float_above(largest.length),
            float_above(largest.radius),
            float_above(constant),
            frame};
}

/// The score of a pair by its key, in placed units, up to float64 rounding that the slack holds: -key * unit - shift.
struct KeyScale {
    double unit = 0, shift = 0;

    ROTE_HD double score(double key) const { return -key * unit - shift; }
};

/// `query_scale` is the power of two that placed the query of an inner product; `product` is <placed query, g centre>.
ROTE_HD KeyScale key_scale(KnnMetric metric, double scale, double query_scale, double product) {
    if (metric == KnnMetric::ip) return {scale * query_scale, product};
    if (metric == KnnMetric::cosine) return {scale * scale, scale * scale};  // g^2 (cos - 1)
    return {0.5 * scale * scale, 0};
}

}  // namespace rote
