// augment/cpu/store.h: the last pass of the vector executors: normalize, cast, lay out. Included by the cpu_* files
// only.
#pragma once

#include "augment/cpu/color.h"
#include "augment/cpu/interleave.h"

namespace rote {
namespace {

inline WordVector bits_of(FloatVector x) {
    return (WordVector)x;
}

/// to_bfloat16 of rote/dtype.h on lanes, for numbers: checked programs and rows cannot make a NaN.
inline HalfwordVector to_bfloat16_lanes(FloatVector x) {
    const WordVector bits = bits_of(x);
    return narrow_words((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// to_half of rote/dtype.h on lanes, for numbers. Below the smallest normal half, adding 0.5 to the magnitude lets the
/// float adder round to multiples of 2^-24, ties to even.
inline HalfwordVector to_half_lanes(FloatVector x) {
    const WordVector bits = bits_of(x);
    const WordVector sign = (bits >> 16) & 0x8000u;
    const WordVector magnitude = bits & 0x7fffffffu;
    const WordVector rebased = magnitude - 0x38000000u;
    const WordVector normal = (rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13;
    const WordVector subnormal = bits_of((FloatVector)magnitude + 0.5f) - 0x3f000000u;
    const WordVector infinite = WordVector{} + 0x7c00u;
    WordVector result = magnitude < 0x38800000u ? subnormal : normal;
    result = magnitude >= 0x47800000u ? infinite : result;
    return narrow_words(result | sign);
}

struct ToFloat32 {
    using Element = float;
    static FloatVector cast(FloatVector x) { return x; }
};
struct ToFloat16 {
    using Element = uint16_t;
    static HalfwordVector cast(FloatVector x) { return to_half_lanes(x); }
};
struct ToBFloat16 {
    using Element = uint16_t;
    static HalfwordVector cast(FloatVector x) { return to_bfloat16_lanes(x); }
};

/// A normalize that ends the recipe acts here, on the way out.
struct Finish {
    const AugmentStep* normalization = nullptr;
    FloatVector operator()(FloatVector x, int32_t c) const {
        if (!normalization) return x;
        return normalize<FloatVector>(x, float(normalization->constants[c]), float(normalization->constants[3 + c]));
    }
};

inline FloatVector load_pixels(const float* from) {
    return load_float(from);
}
inline FloatVector load_pixels(const uint8_t* from) {
    return unit_from_bytes(from);
}

/// fn(pixels) cast to contiguous memory.
template <class Cast, class T, class Fn>
inline void store_run(const T* from, int32_t count, typename Cast::Element* to, Fn&& fn) {
    int32_t p = 0;
    for (; p + kLanes <= count; p += kLanes) store(to + p, Cast::cast(fn(load_pixels(from + p))));
    if (p == count) return;
    const auto rest = Cast::cast(fn(load_pixels(from + p)));
    memcpy(to + p, &rest, size_t(count - p) * sizeof(*to));
}

/// A run of pixels of one channel (floats, or bytes of the bank) whose output is contiguous.
template <class Cast, class T>
inline void store_contiguous(const T* from, int32_t count, int32_t c, const Finish& finish,
                             typename Cast::Element* to) {
    if (!finish.normalization) return store_run<Cast>(from, count, to, [](FloatVector x) { return x; });
    const float mean = float(finish.normalization->constants[c]), std = float(finish.normalization->constants[3 + c]);
    store_run<Cast>(from, count, to, [=](FloatVector x) { return normalize<FloatVector>(x, mean, std); });
}

/// Three rows to interleaved channels.
template <class Cast>
inline void store_interleaved(const float* const* rows, int32_t count, const Finish& finish,
                              typename Cast::Element* to) {
    int32_t x = 0;
    for (; x + kLanes <= count; x += kLanes)
        interleave(Cast::cast(finish(load_float(rows[0] + x), 0)), Cast::cast(finish(load_float(rows[1] + x), 1)),
                   Cast::cast(finish(load_float(rows[2] + x), 2)), to + int64_t(x) * 3);
    if (x == count) return;
    typename Cast::Element lanes[3 * kLanes];
    interleave(Cast::cast(finish(load_float(rows[0] + x), 0)), Cast::cast(finish(load_float(rows[1] + x), 1)),
               Cast::cast(finish(load_float(rows[2] + x), 2)), lanes);
    memcpy(to + int64_t(x) * 3, lanes, size_t(count - x) * 3 * sizeof(*to));
}

/// One row of one channel to any stride.
template <class Cast>
inline void store_strided(const float* from, int32_t count, int32_t c, const Finish& finish, typename Cast::Element* to,
                          int64_t stride) {
    typename Cast::Element lanes[kLanes];
    for (int32_t x = 0; x < count; x += kLanes) {
        store(lanes, Cast::cast(finish(load_float(from + x), c)));
        for (int32_t i = 0; i < kLanes && x + i < count; ++i) to[(x + i) * stride] = lanes[i];
    }
}

template <class Cast>
__attribute__((noinline)) void store_view_as(View& view, const Finish& finish, const AugmentOutput& output,
                                             int64_t index) {
    using Element = typename Cast::Element;
    const int32_t channels = view.plan->channels, height = view.height, width = view.width;
    const int64_t stride_c = output.strides[1], stride_h = output.strides[2], stride_w = output.strides[3];
    Element* const out = static_cast<Element*>(output.data) + index * output.strides[0];
    const bool planar = stride_w == 1 && stride_h == width;  // a plane is one run
    if (view.in_bank && !(planar && !view.has_fill)) to_planes(view);
    if (planar) {
        const RowGather gather = view.in_bank ? gather_of(view) : RowGather{};
        for (int32_t c = 0; c < channels; ++c) {
            Element* const to = out + c * stride_c;
            if (view.in_bank)
                store_contiguous<Cast>(gather_plane(view, gather, c), height * width, c, finish, to);
            else
                store_contiguous<Cast>(view.plane(c), height * width, c, finish, to);
        }
        return;
    }
    const bool interleaved = channels == 3 && stride_c == 1 && stride_w == 3;
    for (int32_t y = 0; y < height; ++y) {
        const float* rows[3] = {};
        for (int32_t c = 0; c < channels; ++c) {
            const float* const row = view.plane(c) + int64_t(y) * width;
            if (interleaved) {
                rows[c] = row;
                continue;
            }
            Element* const to = out + c * stride_c + y * stride_h;
            if (stride_w == 1)
                store_contiguous<Cast>(row, width, c, finish, to);
            else
                store_strided<Cast>(row, width, c, finish, to, stride_w);
        }
        if (interleaved) store_interleaved<Cast>(rows, width, finish, out + y * stride_h);
    }
}

inline void store_view(View& view, const Finish& finish, const AugmentOutput& output, int64_t index) {
    switch (output.dtype) {
        case DType::float32:
            return store_view_as<ToFloat32>(view, finish, output, index);
        case DType::float16:
            return store_view_as<ToFloat16>(view, finish, output, index);
        default:
            return store_view_as<ToBFloat16>(view, finish, output, index);
    }
}

}  // namespace
}  // namespace rote
