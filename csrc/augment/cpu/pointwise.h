// augment/cpu/pointwise.h: operations of a pixel by itself, in registers one after another. Included by executor_* only.
//
// A view does not run such an operation over its planes: it puts it on a chain, which runs on each block of pixels
// between the load and the store of the next pass that touches them all (pass.h).
#pragma once

#include "augment/cpu/normalization.h"
#include "augment/cpu/vector.h"

namespace rote {
namespace {

enum class PointwiseKind : int32_t {
    brightness,
    contrast,
    saturation,
    hue,
    grey,
    divide,
    reciprocal,
    scale,
    // The same where nothing can become negative: one clamp less.
    brightness_up,
    contrast_up,
    saturation_up,
};

/// factor is what the formula calls it (hue: the shift); part is contrast's share of the mean.
struct PointwiseOp {
    PointwiseKind kind;
    float factor = 0.0f;
    float part = 0.0f;
    const Normalization* normalization = nullptr;
};

constexpr int kMaxPointwiseOps = 16;

struct PointwiseChain {
    int32_t count = 0;
    PointwiseOp ops[kMaxPointwiseOps];
};

/// Pixels that travel through a chain together: two vectors of each of C channels. Named one by one, because gcc keeps
/// arrays of vectors in memory.
constexpr int kBlockVectors = 2;
constexpr int kBlock = kBlockVectors * kLanes;

template <int C>
struct Block;
template <>
struct Block<1> {
    FloatVector x0, x1;
};
template <>
struct Block<3> {
    FloatVector r0, r1, g0, g1, b0, b1;
};

/// fn(vector, channel, which of the two) on every vector.
template <class AnyBlock, class Fn>
ROTE_INLINE void visit(AnyBlock& block, Fn&& fn) {
    if constexpr (sizeof(AnyBlock) == sizeof(Block<1>)) {
        fn(block.x0, 0, 0);
        fn(block.x1, 0, 1);
    } else {
        fn(block.r0, 0, 0);
        fn(block.r1, 0, 1);
        fn(block.g0, 1, 0);
        fn(block.g1, 1, 1);
        fn(block.b0, 2, 0);
        fn(block.b1, 2, 1);
    }
}

/// x = fn(x, channel) on every vector.
template <class AnyBlock, class Fn>
ROTE_INLINE void on_each(AnyBlock& block, Fn&& fn) {
    visit(block, [&](FloatVector& x, int c, int) { x = fn(x, c); });
}

/// fn(r, g, b) on the vectors of every group of pixels.
template <class Fn>
ROTE_INLINE void on_each_rgb(Block<3>& block, Fn&& fn) {
    fn(block.r0, block.g0, block.b0);
    fn(block.r1, block.g1, block.b1);
}

/// `channel` is that of the block's first.
template <int C>
ROTE_INLINE void apply_op(const PointwiseOp& op, Block<C>& block, int32_t channel) {
    const float factor = op.factor;
    switch (op.kind) {
        case PointwiseKind::brightness:
            return on_each(block, [=](FloatVector x, int) { return adjust_brightness<FloatVector>(x, factor); });
        case PointwiseKind::contrast: {
            const FloatVector part = splat<FloatVector>(op.part);
            return on_each(block, [=](FloatVector x, int) { return blend<FloatVector>(x, factor, part); });
        }
        case PointwiseKind::saturation:
            if constexpr (C == 3)
                on_each_rgb(block, [=](FloatVector& r, FloatVector& g, FloatVector& b) {
                    adjust_saturation<FloatVector>(r, g, b, factor);
                });
            return;
        case PointwiseKind::hue:
            if constexpr (C == 3)
                on_each_rgb(block, [=](FloatVector& r, FloatVector& g, FloatVector& b) {
                    adjust_hue<FloatVector>(r, g, b, factor);
                });
            return;
        case PointwiseKind::grey:
            if constexpr (C == 3)
                on_each_rgb(block, [](FloatVector& r, FloatVector& g, FloatVector& b) {
                    r = g = b = grey_of<FloatVector>(r, g, b);
                });
            return;
        case PointwiseKind::brightness_up:
            return on_each(block, [=](FloatVector x, int) { return clamp_to_one<FloatVector>(x * factor); });
        case PointwiseKind::contrast_up: {
            const FloatVector part = splat<FloatVector>(op.part);
            return on_each(block, [=](FloatVector x, int) {
                return clamp_to_one<FloatVector>(sum_apart<FloatVector>(x * factor, part));
            });
        }
        case PointwiseKind::saturation_up:
            if constexpr (C == 3)
                on_each_rgb(block, [=](FloatVector& r, FloatVector& g, FloatVector& b) {
                    const FloatVector part = grey_of<FloatVector>(r, g, b) * (1.0f - factor);
                    r = clamp_to_one<FloatVector>(sum_apart<FloatVector>(r * factor, part));
                    g = clamp_to_one<FloatVector>(sum_apart<FloatVector>(g * factor, part));
                    b = clamp_to_one<FloatVector>(sum_apart<FloatVector>(b * factor, part));
                });
            return;
        case PointwiseKind::divide:
            return on_each(block, [&](FloatVector x, int c) {
                return normalize<FloatVector>(x, op.normalization->mean[channel + c], op.normalization->std[channel + c]);
            });
        case PointwiseKind::reciprocal:
            return on_each(block, [&](FloatVector x, int c) {
                const FloatVector centred =
                    difference_apart<FloatVector>(x, splat<FloatVector>(op.normalization->mean[channel + c]));
                return fused(centred, splat<FloatVector>(op.normalization->high[channel + c]),
                             centred * op.normalization->low[channel + c]);
            });
        case PointwiseKind::scale:
            return on_each(block, [&](FloatVector x, int c) {
                return (x - op.normalization->mean[channel + c]) * op.normalization->high[channel + c];
            });
    }
}

template <int C>
ROTE_INLINE void apply_chain(const PointwiseChain& chain, Block<C>& block, int32_t channel) {
    for (int32_t i = 0; i < chain.count; ++i) apply_op(chain.ops[i], block, channel);
}

/// Adds up the fixed-point grey values of blocks. Lanes take 64 numbers of 24 bits before they are widened.
class GreySum {
  public:
    template <int C>
    void add(const Block<C>& block, int32_t valid) {
        if (held_ > 64 - kBlockVectors) widen();
        if constexpr (C == 3) {
            add_vector(grey_of<FloatVector>(block.r0, block.g0, block.b0), valid);
            add_vector(grey_of<FloatVector>(block.r1, block.g1, block.b1), valid - kLanes);
        } else {
            add_vector(block.x0, valid);
            add_vector(block.x1, valid - kLanes);
        }
        held_ += kBlockVectors;
    }
    int64_t total() {
        widen();
        return sum_;
    }

  private:
    void add_vector(FloatVector grey, int32_t valid) {
        IntVector fixed = __builtin_convertvector(grey * kGreyScale, IntVector);
        if (valid < kLanes) fixed = lane_numbers() < valid ? fixed : IntVector{};
        lanes_ = lanes_ + fixed;
    }
    void widen() {
        for (int i = 0; i < kLanes; ++i) sum_ += lanes_[i];
        lanes_ = IntVector{};
        held_ = 0;
    }
    IntVector lanes_{};
    int64_t sum_ = 0;
    int32_t held_ = 0;
};

}  // namespace
}  // namespace rote
