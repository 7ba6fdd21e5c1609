// augment/cpu/store.h: the last pass of the vector executors: cast and lay out. Included by executor_* only.
#pragma once

#include "augment/cpu/cast.h"
#include "augment/cpu/interleave.h"
#include "augment/cpu/lookup.h"

namespace rote {
namespace {

struct ToFloat32 {
    using Element = float;
    using Vector = FloatVector;
    static constexpr bool kWide = true;
};
struct ToFloat16 {
    using Element = uint16_t;
    using Vector = HalfwordVector;
    static constexpr bool kWide = false;
    static HalfwordPair cast(FloatVector a, FloatVector b) { return to_half_pair(a, b); }
};
struct ToBFloat16 {
    using Element = uint16_t;
    using Vector = HalfwordVector;
    static constexpr bool kWide = false;
    static HalfwordPair cast(FloatVector a, FloatVector b) { return to_bfloat16_pair(a, b); }
};

/// The image in the caller's memory.
template <class Cast, int C>
class OutputTarget {
  public:
    using Element = typename Cast::Element;

    OutputTarget(const View& view, const AugmentOutput& output, bool streams, int64_t index, int32_t channel)
        : stride_c_(output.strides[1]), stride_h_(output.strides[2]), stride_w_(output.strides[3]) {
        image_ = static_cast<Element*>(output.data) + index * output.strides[0] + channel * stride_c_;
        in_one_run_ = stride_w_ == 1 && stride_h_ == view.width;
        const auto aligned = [](int64_t elements) {
            return elements * int64_t(sizeof(Element)) % kStreamAlignment == 0;
        };
        if (C == 3 && stride_c_ == 1 && stride_w_ == 3)
            layout_ = Layout::interleaved;
        else if (stride_w_ != 1)
            layout_ = Layout::strided;
        else if (kStreams && streams && reinterpret_cast<uintptr_t>(image_) % kStreamAlignment == 0 && aligned(stride_c_) &&
                 (in_one_run_ || aligned(stride_h_)))
            layout_ = Layout::streamed;
    }

    bool in_one_run() const { return in_one_run_; }

    bool streams() const { return layout_ == Layout::streamed; }
    Element* plane(int c) const { return image_ + c * stride_c_; }

    ROTE_INLINE void store_half(const Block<C>& block, int half, int32_t y, int64_t x, int32_t valid) const {
        Element* const to = image_ + y * stride_h_ + x * stride_w_;
        const int64_t stride = stride_c_;
        if (valid == kPair && layout_ == Layout::streamed)
            visit(block, [=](const Pixels& p, int c) { stream_run(to + c * stride, half_of(p, half)); });
        else if (valid == kPair && layout_ == Layout::planar)
            visit(block, [=](const Pixels& p, int c) { store_run(to + c * stride, half_of(p, half)); });
        else
            store_pieces(block, half, valid, to);
    }

  private:
    enum class Layout { planar, streamed, interleaved, strided };

    static void store_run(Element* to, FloatPair x) {
        if constexpr (Cast::kWide) {
            store_pair(to, x);
        } else {
            store(to, Cast::cast(x.a, x.b));
        }
    }
    static void stream_run(Element* to, FloatPair x) {
        if constexpr (Cast::kWide) {
            stream(to, x.a);
            stream(to + kLanes, x.b);
        } else {
            stream(to, Cast::cast(x.a, x.b));
        }
    }

    /// Interleaved channels, strides, ends of runs. By value: a block whose address is taken lives in memory.
    __attribute__((noinline)) void store_pieces(const Block<C> block, int half, int32_t valid, Element* to) const {
        Element planes[C][kPair];
        visit(block, [&](const Pixels& p, int c) { store_run(planes[c], half_of(p, half)); });
        if constexpr (C == 3)
            if (layout_ == Layout::interleaved) return store_interleaved(planes, valid, to);
        for (int c = 0; c < C; ++c)
            for (int32_t i = 0; i < valid; ++i) to[c * stride_c_ + i * stride_w_] = planes[c][i];
    }
    static void store_interleaved(const Element planes[3][kPair], int32_t valid, Element* to) {
        using Vector = typename Cast::Vector;
        Element pixels[3 * kPair];
        Element* const full = valid == kPair ? to : pixels;
        for (int i = 0; i < kPair; i += kLanes)
            interleave(load<Vector>(planes[0] + i), load<Vector>(planes[1] + i), load<Vector>(planes[2] + i),
                       full + 3 * i);
        if (valid < kPair) memcpy(to, pixels, size_t(valid) * 3 * sizeof(Element));
    }

    Element* image_;
    const int64_t stride_c_, stride_h_, stride_w_;
    bool in_one_run_ = false;
    Layout layout_ = Layout::planar;
};

template <class Cast, int C>
inline void store_channels(View& view, const RenderJob& job, int64_t index, int32_t channel) {
    OutputTarget<Cast, C> target(view, job.output, job.streams, index, channel);
    if constexpr (kLooksUp && !Cast::kWide)
        if (target.in_one_run() && is_function_of_byte(view)) {
            const uint16_t* const tables = table_of_view<Cast>(view);
            const Source<C> source(view, channel);
            for (int c = 0; c < C; ++c)
                look_up(tables + (channel + c) * 256, source.bytes(c), view.height * view.width, target.streams(),
                        target.plane(c));
            return;
        }
    run_pass<C>(view, channel, target);
}

template <class Cast>
__attribute__((noinline)) void store_view_as(View& view, const RenderJob& job, int64_t index) {
    if (view.plan->channels == 3) return store_channels<Cast, 3>(view, job, index, 0);
    for (int32_t c = 0; c < view.plan->channels; ++c) store_channels<Cast, 1>(view, job, index, c);
}

inline void store_view(View& view, const RenderJob& job, int64_t index) {
    switch (job.output.dtype) {
        case DType::float32:
            return store_view_as<ToFloat32>(view, job, index);
        case DType::float16:
            return store_view_as<ToFloat16>(view, job, index);
        default:
            return store_view_as<ToBFloat16>(view, job, index);
    }
}

}  // namespace
}  // namespace rote
