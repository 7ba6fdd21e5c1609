// augment/cpu/pointwise.h: operations of a pixel by itself, in registers one after another. Included by executor_* only.
//
// A view does not run such an operation over its planes: it puts it on a chain, which runs on each block of pixels
// between the load and the store of the next pass that touches them all (pass.h).
#pragma once

#include "augment/cpu/normalization.h"
#include "augment/cpu/pixels.h"

namespace rote {
namespace {

enum class PointwiseKind : int32_t {
    brightness,
    contrast,
    saturation,
    hue,
    hue_unbounded,
    grey,
    divide,
    reciprocal,
    scale,
    // The same where nothing can become negative, which saves a clamp.
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

/// kBlock pixels of C channels travel through a chain together.
template <int C>
struct Block;
template <>
struct Block<1> {
    Pixels x;
};
template <>
struct Block<3> {
    Pixels r, g, b;
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
    visit(block, [&](Pixels& x, int c) { x = fn(x, c); });
}

/// `channel` is that of the block's first.
template <int C>
ROTE_INLINE void apply_op(const PointwiseOp& op, Block<C>& block, int32_t channel) {
    const float factor = op.factor;
    switch (op.kind) {
        case PointwiseKind::brightness:
            return on_each(block, [=](Pixels x, int) { return adjust_brightness<Pixels>(x, factor); });
        case PointwiseKind::contrast: {
            const Pixels part = splat<Pixels>(op.part);
            return on_each(block, [=](Pixels x, int) { return blend<Pixels>(x, factor, part); });
        }
        case PointwiseKind::saturation:
            if constexpr (C == 3)
                adjust_saturation<Pixels>(block.r, block.g, block.b, factor);
            return;
        case PointwiseKind::hue:
            if constexpr (C == 3)
                adjust_hue<Pixels>(block.r, block.g, block.b, factor);
            return;
        case PointwiseKind::hue_unbounded:
            if constexpr (C == 3) adjust_hue<Pixels, true>(block.r, block.g, block.b, factor);
            return;
        case PointwiseKind::grey:
            if constexpr (C == 3)
                block.r = block.g = block.b = grey_of<Pixels>(block.r, block.g, block.b);
            return;
        case PointwiseKind::brightness_up:
            return on_each(block, [=](Pixels x, int) { return clamp_to_one<Pixels>(x * factor); });
        case PointwiseKind::contrast_up: {
            const Pixels part = splat<Pixels>(op.part);
            return on_each(block, [=](Pixels x, int) {
                return clamp_to_one<Pixels>(sum_apart<Pixels>(x * factor, part));
            });
        }
        case PointwiseKind::saturation_up:
            if constexpr (C == 3) {
                const Pixels part = grey_of<Pixels>(block.r, block.g, block.b) * (1.0f - factor);
                on_each(block, [=](Pixels x, int) {
                    return clamp_to_one<Pixels>(sum_apart<Pixels>(x * factor, part));
                });
            }
            return;
        case PointwiseKind::divide:
            return on_each(block, [&](Pixels x, int c) {
                return normalize<Pixels>(x, op.normalization->mean[channel + c], op.normalization->std[channel + c]);
            });
        case PointwiseKind::reciprocal:
            return on_each(block, [&](Pixels x, int c) {
                const Pixels centred =
                    difference_apart<Pixels>(x, splat<Pixels>(op.normalization->mean[channel + c]));
                return fused(centred, op.normalization->high[channel + c],
                             centred * op.normalization->low[channel + c]);
            });
        case PointwiseKind::scale:
            return on_each(block, [&](Pixels x, int c) {
                return (x - op.normalization->mean[channel + c]) * op.normalization->high[channel + c];
            });
    }
}

template <int C>
ROTE_INLINE void apply_chain(const PointwiseChain& chain, Block<C>& block, int32_t channel) {
    for (int32_t i = 0; i < chain.count; ++i) apply_op(chain.ops[i], block, channel);
}

ROTE_INLINE Pixels grey_of_block(const Block<1>& block) {
    return block.x;
}
ROTE_INLINE Pixels grey_of_block(const Block<3>& block) {
    return grey_of<Pixels>(block.r, block.g, block.b);
}

/// Adds up fixed-point grey values. Lanes take 64 numbers of 24 bits before they are widened.
class GreySum {
  public:
    void add(const FloatPair& grey, int32_t valid) {
        if (held_ > 62) widen();
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
