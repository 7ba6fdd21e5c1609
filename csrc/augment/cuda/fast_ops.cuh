// augment/cuda/fast_ops.cuh: colour operations on the pixels a thread holds in registers. A pass has one list of them
// for all its threads, four floats an entry.
#pragma once

#include "augment/cuda/fast_job.h"
#include "augment/meaning/color.h"
#include "augment/meaning/tone.h"
#include "runtime/launch.cuh"

namespace rote {
namespace {

enum class PixelOp : int32_t {
    brightness,
    blend,
    saturation,
    hue,
    unbounded_hue,
    grey,
    normalize,
    solarize,
    posterize,
    invert
};

struct alignas(16) OpEntry {
    PixelOp op;
    float a, b;
    int32_t step;
};

template <int C>
using Pixels = float[C][kFastRows];

template <int C, class Fn>
__device__ __forceinline__ void change(Pixels<C>& v, Fn&& fn) {
#pragma unroll
    for (int c = 0; c < C; ++c)
#pragma unroll
        for (int r = 0; r < kFastRows; ++r) v[c][r] = fn(v[c][r]);
}

template <int C>
__device__ __forceinline__ float grey_value(const Pixels<C>& v, int r) {
    if constexpr (C == 3)
        return grey_of<float>(v[0][r], v[1][r], v[2][r]);
    else
        return v[0][r];
}

/// x / std correctly rounded, from the correctly rounded 1 / std: the first correction makes a faithful quotient, the
/// second rounds it correctly (Markstein, IBM J. Res. Dev. 34, 1990; Handbook of Floating-Point Arithmetic, section
/// 4.7). Remainders are exact, for `quick` keeps everything far from underflow.
__device__ __forceinline__ float divide_quick(float x, float std, float reciprocal) {
    float quotient = x * reciprocal;
    quotient = fmaf(fmaf(-quotient, std, x), reciprocal, quotient);
    return fmaf(fmaf(-quotient, std, x), reciprocal, quotient);
}

template <int C>
__device__ __forceinline__ void normalize_pixels(const NormalizeFactors& n, Pixels<C>& v) {
    if (n.quick) {
        for (int c = 0; c < C; ++c)
            for (int r = 0; r < kFastRows; ++r) v[c][r] = divide_quick(v[c][r] - n.mean[c], n.std[c], n.reciprocal[c]);
    } else {
        for (int c = 0; c < C; ++c)
            for (int r = 0; r < kFastRows; ++r) v[c][r] = normalize<float>(v[c][r], n.mean[c], n.std[c]);
    }
}

template <int C>
__device__ __forceinline__ void apply_op(const FastJob& job, const OpEntry& entry, Pixels<C>& v) {
    switch (entry.op) {
        case PixelOp::brightness:
            return change<C>(v, [&](float x) { return adjust_brightness<float>(x, entry.a); });
        case PixelOp::blend:
            return change<C>(v, [&](float x) { return blend<float>(x, entry.a, entry.b); });
        case PixelOp::saturation:
            if constexpr (C == 3)
                for (int r = 0; r < kFastRows; ++r) adjust_saturation<float>(v[0][r], v[1][r], v[2][r], entry.a);
            return;
        case PixelOp::hue:
            if constexpr (C == 3)
                for (int r = 0; r < kFastRows; ++r) adjust_hue<float, false>(v[0][r], v[1][r], v[2][r], entry.a);
            return;
        case PixelOp::unbounded_hue:
            if constexpr (C == 3)
                for (int r = 0; r < kFastRows; ++r) adjust_hue<float, true>(v[0][r], v[1][r], v[2][r], entry.a);
            return;
        case PixelOp::solarize:
            return change<C>(v, [&](float x) { return solarize<float>(x, entry.a); });
        case PixelOp::posterize:
            return change<C>(v, [&](float x) { return posterize<float>(x, entry.a); });
        case PixelOp::invert:
            return change<C>(v, [](float x) { return invert<float>(x); });
        case PixelOp::grey:
            for (int r = 0; r < kFastRows; ++r) {
                const float grey = grey_value<C>(v, r);
                for (int c = 0; c < C; ++c) v[c][r] = grey;
            }
            return;
        case PixelOp::normalize:
            return normalize_pixels<C>(job.normalize[entry.step], v);
    }
}

}  // namespace
}  // namespace rote
