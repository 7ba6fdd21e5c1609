// augment/cuda/fast_ops.cuh: colour operations on the pixels a thread holds in registers. A pass has one list of them
// for all its threads, four floats an entry.
#pragma once

#include "augment/cuda/fast_job.h"
#include "augment/meaning/color.h"
#include "augment/meaning/mix.h"
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
    invert,
    erase,
    mixup,
    cutmix,
};

struct alignas(16) OpEntry {
    PixelOp op;
    float a, b;
    int32_t step;
};

/// Where the pixels of a thread stand in the image behind the sampler of the pass: rows y .. y + kFastRows - 1 of
/// column x; and the partner of a mixing recipe.
struct Spot {
    int32_t y, x, height, width;
    const float* partner;
};

/// Entries of operations that look at the place of a pixel: the step, and how the image was flipped behind the sampler
/// when the operation came.
constexpr int32_t kMirroredX = 256, kMirroredY = 512;

__device__ __forceinline__ PixelBox unpack_box(const OpEntry& entry) {
    const uint32_t rows = float_bits(entry.a), columns = float_bits(entry.b);
    return {int32_t(rows & 0xffffu), int32_t(columns & 0xffffu), int32_t(rows >> 16), int32_t(columns >> 16)};
}

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

/// Erasing, CutMix and MixUp: fn(c, r, y, x) for every pixel, in the coordinates of the operation.
template <int C, class Fn>
__device__ __forceinline__ void at_places(const OpEntry& entry, const Spot& spot, Fn&& fn) {
    const int32_t x = entry.step & kMirroredX ? spot.width - 1 - spot.x : spot.x;
#pragma unroll
    for (int r = 0; r < kFastRows; ++r) {
        const int32_t below = spot.y + r < spot.height ? spot.y + r : spot.height - 1;
        const int32_t y = entry.step & kMirroredY ? spot.height - 1 - below : below;
#pragma unroll
        for (int c = 0; c < C; ++c) fn(c, r, y, x);
    }
}

template <int C>
__device__ __forceinline__ void apply_placed_op(const FastJob& job, const OpEntry& entry, const Spot& spot,
                                                Pixels<C>& v) {
    const int32_t pitch = int32_t(job.fast.plane_floats);
    if (entry.op == PixelOp::mixup)
        return at_places<C>(entry, spot, [&](int c, int r, int32_t y, int32_t x) {
            v[c][r] = mixed<float>(v[c][r], spot.partner[c * pitch + y * spot.width + x], entry.a, entry.b);
        });
    const PixelBox box = unpack_box(entry);
    if (entry.op == PixelOp::cutmix)
        return at_places<C>(entry, spot, [&](int c, int r, int32_t y, int32_t x) {
            if (box.holds(y, x)) v[c][r] = spot.partner[c * pitch + y * spot.width + x];
        });
    const AugmentStep& step = job.job.plan.steps[entry.step & 255];
    const double* const values = step.constants + (step.kind == AugmentKind::cutout ? 3 : 6);
    at_places<C>(entry, spot, [&](int c, int r, int32_t y, int32_t x) {
        if (box.holds(y, x)) v[c][r] = float(values[c]);
    });
}

template <int C>
__device__ __forceinline__ void apply_op(const FastJob& job, const OpEntry& entry, const Spot& spot, Pixels<C>& v) {
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
        case PixelOp::erase:
        case PixelOp::mixup:
        case PixelOp::cutmix:
            return apply_placed_op<C>(job, entry, spot, v);
        case PixelOp::normalize:
            return normalize_pixels<C>(job.normalize[entry.step], v);
    }
}

}  // namespace
}  // namespace rote
