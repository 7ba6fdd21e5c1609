// augment/cpu/pointwise.h: operations of a pixel by itself, in registers one after another. Included by executor_* only.
//
// A view does not run such an operation over its planes: it puts it on a chain, which runs on each block of pixels
// between the load and the store of the next pass that touches them all (pass.h).
#pragma once

#include "augment/cpu/normalization.h"
#include "augment/cpu/pair.h"

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

/// Pixels that travel through a chain together, of C channels. Named one by one, because gcc keeps arrays of vectors in
/// memory.
template <int C>
struct Block;
template <>
struct Block<1> {
    FloatPair x;
};
template <>
struct Block<3> {
    FloatPair r, g, b;
};

/// fn(pixels, channel) on every channel.
template <class AnyBlock, class Fn>
ROTE_INLINE void visit(AnyBlock& block, Fn&& fn) {
    if constexpr (sizeof(AnyBlock) == sizeof(Block<1>)) {
        fn(block.x, 0);
    } else {
        fn(block.r, 0);
        fn(block.g, 1);
        fn(block.b, 2);
    }
}

/// pixels = fn(pixels, channel) on every channel.
template <class AnyBlock, class Fn>
ROTE_INLINE void on_each(AnyBlock& block, Fn&& fn) {
    visit(block, [&](FloatPair& x, int c) { x = fn(x, c); });
}

/// `channel` is that of the block's first.
template <int C>
ROTE_INLINE void apply_op(const PointwiseOp& op, Block<C>& block, int32_t channel) {
    const float factor = op.factor;
    switch (op.kind) {
        case PointwiseKind::brightness:
            return on_each(block, [=](FloatPair x, int) { return adjust_brightness<FloatPair>(x, factor); });
        case PointwiseKind::contrast: {
            const FloatPair part = splat<FloatPair>(op.part);
            return on_each(block, [=](FloatPair x, int) { return blend<FloatPair>(x, factor, part); });
        }
        case PointwiseKind::saturation:
            if constexpr (C == 3)
                adjust_saturation<FloatPair>(block.r, block.g, block.b, factor);
            return;
        case PointwiseKind::hue:
            if constexpr (C == 3)
                adjust_hue<FloatPair>(block.r, block.g, block.b, factor);
            return;
        case PointwiseKind::grey:
            if constexpr (C == 3)
                block.r = block.g = block.b = grey_of<FloatPair>(block.r, block.g, block.b);
            return;
        case PointwiseKind::brightness_up:
            return on_each(block, [=](FloatPair x, int) { return clamp_to_one<FloatPair>(x * factor); });
        case PointwiseKind::contrast_up: {
            const FloatPair part = splat<FloatPair>(op.part);
            return on_each(block, [=](FloatPair x, int) {
                return clamp_to_one<FloatPair>(sum_apart<FloatPair>(x * factor, part));
            });
        }
        case PointwiseKind::saturation_up:
            if constexpr (C == 3) {
                const FloatPair part = grey_of<FloatPair>(block.r, block.g, block.b) * (1.0f - factor);
                on_each(block, [=](FloatPair x, int) {
                    return clamp_to_one<FloatPair>(sum_apart<FloatPair>(x * factor, part));
                });
            }
            return;
        case PointwiseKind::divide:
            return on_each(block, [&](FloatPair x, int c) {
                return normalize<FloatPair>(x, op.normalization->mean[channel + c], op.normalization->std[channel + c]);
            });
        case PointwiseKind::reciprocal:
            return on_each(block, [&](FloatPair x, int c) {
                const FloatPair centred =
                    difference_apart<FloatPair>(x, splat<FloatPair>(op.normalization->mean[channel + c]));
                return fused(centred, op.normalization->high[channel + c],
                             centred * op.normalization->low[channel + c]);
            });
        case PointwiseKind::scale:
            return on_each(block, [&](FloatPair x, int c) {
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
        if (held_ > 62) widen();
        FloatPair grey;
        if constexpr (C == 3)
            grey = grey_of<FloatPair>(block.r, block.g, block.b);
        else
            grey = block.x;
        add_vector(grey.a, valid);
        add_vector(grey.b, valid - kLanes);
        held_ += 2;
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
