// knn/cuda/half_bound.h: how far a score of the 16-bit pass can be from the float64 key (docs/knn-cuda.md); host and
// device.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstdint>

#include "knn/metric.h"
#include "rote/host_device.h"

namespace rote {

constexpr double kFloatUlp = 1.0 / (1 << 23);

// Tensor cores add a step of 16 products in groups of 4, 8 or 16, aligned to the largest addend and cut off. Every
// addend of a group and its total lose at most one unit in the last place: 6 per group of 4, hence 24 per step at the
// most.
constexpr double kUnitsPerStep = 24;
constexpr double kAccumulationSafety = 1.25;  // no device has been measured yet
constexpr int kStepDepth = 16;

/// |accumulator - sum| <= this times |x||y|, for rows padded to `depth`.
ROTE_HD double accumulation_bound(int64_t depth) {
    return kAccumulationSafety * (kUnitsPerStep * double(depth / kStepDepth) + 4) * kFloatUlp;
}

/// At least four times the relative rounding of any float64 sum of `dim` terms, in any order, and its last few steps.
ROTE_HD double double_rounding(int64_t dim) {
    return (double(dim) + 64) / double(int64_t(1) << 51);
}

/// What the pass knows of one packed query. Lengths are those of the placed row (docs/knn-cuda.md).
struct QueryTerms {
    float scale;         // power of two t: the packed row is t times the placed row
    float per_residual;  // weighs a block's residual
    float per_length;    // weighs a block's length
    float per_radius;    // weighs a block's radius
    float constant;
};

/// And of one block of packed references.
struct BlockTerms {
    float scale;     // power of two s: packed rows are s times (placed row - centre of the frame)
    float residual;  // largest distance of a packed row from what it stands for
    float length;    // largest norm of a packed row, in placed units
    float radius;    // largest norm of a placed row
    float constant;
    int32_t frame;  // whose centre was subtracted
};

/// Half the width of the interval around a pair's score, in placed units.
ROTE_HD float score_slack(const QueryTerms& query, const BlockTerms& block) {
    const float sum = query.per_residual * block.residual + query.per_length * block.length +
                      query.per_radius * block.radius + query.constant + block.constant;
    return sum * (1.0f + 0x1p-20f);
}

/// Both bounds of a pair's score in placed units. `base` is the score of the frame's centre, `packed` the accumulator
/// with the bias added (packed_score). No multiplication by a power of two can overflow (kLargestPlaced, scale limits).
struct ScoreInterval {
    float lower, upper;
};

ROTE_HD ScoreInterval score_interval(const QueryTerms& query, const BlockTerms& block, float base, float packed) {
    const float middle = base + packed / (query.scale * block.scale);
    const float slack = score_slack(query, block) + 0x1p-21f * (fabsf(middle) + fabsf(base));
    const float lower = middle - slack, upper = middle + slack;
    return {lower - 0x1p-22f * fabsf(lower), upper + 0x1p-22f * fabsf(upper)};
}

/// The smallest packed score that may reach `threshold` (placed units): whoever stays below it has upper < threshold.
/// -FLT_MAX for an open row, so that -inf (no reference) never passes; inf for a row that wants nothing.
ROTE_HD float packed_limit(const QueryTerms& query, const BlockTerms& block, float base, float threshold) {
    if (!(fabsf(threshold) < FLT_MAX)) return threshold > 0 ? INFINITY : -FLT_MAX;
    const float difference = threshold - base;
    const float slack = score_slack(query, block) + 0x1p-21f * (fabsf(difference) + fabsf(base));
    const float limit = (difference - slack) * (query.scale * block.scale);
    return limit > -FLT_MAX ? limit : -FLT_MAX;
}

/// The value the epilogue compares with packed_limit: one fused multiply-add per score. `bias` is the reference's, in
/// the block's units; -inf where the position holds no admissible reference.
ROTE_HD float packed_score(float accumulator, float bias, float query_scale) {
    return fmaf(bias, query_scale, accumulator);
}

}  // namespace rote
