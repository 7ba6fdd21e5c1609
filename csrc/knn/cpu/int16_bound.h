// knn/cpu/int16_bound.h: rows in 16 bit and how far their product can be from the float64 key (docs/knn-bound.md, "The
// 16-bit pass"). Host and device.
#pragma once

#include <cmath>
#include <cstdint>

#include "knn/bound.h"
#include "knn/metric.h"
#include "rote/host_device.h"

namespace rote {

/// Rows are scaled to at most this length: no element leaves int16, and no sum of products leaves int32, since
/// |q||c| < 2^31 bounds every partial sum.
constexpr double kInt16Length = 32767;
constexpr int kInt16LargestExponent = 40;  // of a scale; keeps every product of scales and lengths inside float32
constexpr int kInt16SmallestExponent = -60;

/// The power of two that brings rows of packed length up to `length` to at most kInt16Length.
ROTE_HD double int16_scale(double length) {
    int exponent = kInt16LargestExponent;
    if (length > 0) {
        exponent = 14 - ilogb(length);
        exponent = exponent > kInt16LargestExponent ? kInt16LargestExponent : exponent;
        exponent = exponent < kInt16SmallestExponent ? kInt16SmallestExponent : exponent;
    }
    const double scale = ldexp(1.0, exponent);
    return scale * length > kInt16Length ? 0.5 * scale : scale;
}

/// Length of what a row loses: the measured squared residuals of its rounding to int16 (in units of 1/scale), and the
/// rounding of its float32 form, whose length is at most `length`. `unit` is the frame's scale.
ROTE_HD double int16_residual(KnnMetric metric, double residual_squares, double scale, double length, int64_t dim,
                              double unit) {
    const double float32 = kHalfUlp * (1 + 0x1p-20) * length + sqrt(double(dim)) * 0x1p-140;
    const double normalized =
        metric == KnnMetric::cosine ? (double(dim) / 8 + 16) / double(int64_t(1) << 52) * (unit > 1 ? unit : 1.0) : 0.0;
    return sqrt(residual_squares) * (1 + 0x1p-30) + scale * (float32 + normalized);
}

/// One query in 16 bit. Lengths in units of 1/scale.
struct Int16Query {
    double scale = 1;     // int16 = scale * float32
    double ratio = 1;     // of the query's unit to the references': biases are multiplied by scale * ratio
    double length = 0;    // of the rounded row
    double residual = 0;  // int16_residual
    double size = 0;      // |query| in its own packed unit, without a centre; 0 for L2
};

/// One block of references as one query cluster sees it.
struct Int16Block {
    double scale = 1;
    double length = 0;         // of the longest row, in units of 1/scale
    double residual = 0;       // the largest
    double centre_length = 0;  // of the block's centre, in packed units
    double bias = 0;           // the largest |bias|, biases being in units of 1/scale
    double bias_error = 0;     // the largest
};

/// |value / (scales) - true product and bias|, in units of 1 / (query.scale * block.scale): what rounding to int16
/// loses by Cauchy-Schwarz, the two roundings of `value`, and the biases' own error.
ROTE_HD double int16_error(const Int16Query& query, const Int16Block& block) {
    const double product = query.length * (block.length + block.residual);
    const double bias_unit = query.scale * query.ratio;
    const double lost = query.residual * block.length + query.length * block.residual;
    return (1 + 0x1p-40) * (lost + 1.02 * kHalfUlp * (2 * product + bias_unit * block.bias)) +
           bias_unit * block.bias_error + 0x1p-100;
}

/// Rounding of the float64 numbers that enter a score: the key's own, that of `shift`, the part of the score that is
/// the query's and the block's alone. In packed units, squared.
ROTE_HD double int16_slack(KnnMetric metric, int64_t dim, const Int16Query& query, const Int16Block& block,
                           double shift, double unit) {
    const double rounding = (double(dim) / 8 + 16) / double(int64_t(1) << 52);
    const double subnormals = double(dim) / (double(int64_t(1) << 40) * double(int64_t(1) << 40));
    const double length = block.length / block.scale;
    if (is_squared_distance(metric)) return 4 * rounding * (2 * fabs(shift) + length * length) + subnormals;
    if (metric == KnnMetric::ip) return 4 * rounding * query.size * (block.centre_length + length) + subnormals;
    return 16 * rounding * unit * unit + subnormals;
}

/// Error of a bias in units of 1/scale, for a block whose rows are at most `length` packed units long and an offset of
/// `offset_norm`: the float32 product, the rows' rounding, the half square of L2, the rounding of the bias itself.
ROTE_HD double int16_bias_error(KnnMetric metric, int64_t dim, double scale, double length, double offset_norm,
                                double largest_bias) {
    const double product = offset_norm * length * (direct_bound(dim) + 4 * kHalfUlp);
    const double square = is_squared_distance(metric) ? 2 * kHalfUlp * length * length : 0.0;
    return scale * (product + square) * (1 + 0x1p-20) + 1.01 * kHalfUlp * largest_bias + 0x1p-120;
}

}  // namespace rote
