// augment/cpu_store.h: the last pass of the vector executors: normalize, cast, lay out. Included by the cpu_* files only.
#pragma once

#include "augment/cpu_color.h"

namespace rote {
namespace {

inline WordVector bits_of(FloatVector x) {
    return (WordVector)x;
}

/// Round to nearest even, NaN kept quiet: to_bfloat16 of rote/dtype.h on lanes.
inline HalfwordVector to_bfloat16_lanes(FloatVector x) {
    const WordVector bits = bits_of(x);
    const WordVector rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const WordVector quiet = (bits >> 16) | 0x40u;
    const WordVector result = (bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded;
    return narrow_words(result);
}

/// to_half of rote/dtype.h on lanes. Below the smallest normal half, adding 0.5 to the magnitude lets the float adder
/// round to multiples of 2^-24, ties to even.
inline HalfwordVector to_half_lanes(FloatVector x) {
    const WordVector bits = bits_of(x);
    const WordVector sign = (bits >> 16) & 0x8000u;
    const WordVector magnitude = bits & 0x7fffffffu;
    const WordVector rebased = magnitude - 0x38000000u;
    const WordVector normal = (rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13;
    const WordVector subnormal = bits_of((FloatVector)magnitude + 0.5f) - 0x3f000000u;
    const WordVector nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
    const WordVector infinite = magnitude > 0x7f800000u ? nan : WordVector{} + 0x7c00u;
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

/// `count` values (at most a vector) to contiguous memory.
template <class Cast, class V>
inline void store_run(typename Cast::Element* to, V value, int32_t count) {
    if (count >= kLanes)
        store(to, value);
    else
        memcpy(to, &value, size_t(count) * sizeof(*to));
}

/// A run of pixels of one channel whose output is contiguous.
template <class Cast>
inline void store_contiguous(const float* from, int32_t count, int32_t c, const Finish& finish,
                             typename Cast::Element* to) {
    if (!finish.normalization) {
        for (int32_t p = 0; p < count; p += kLanes) store_run<Cast>(to + p, Cast::cast(load_float(from + p)), count - p);
        return;
    }
    const float mean = float(finish.normalization->constants[c]), std = float(finish.normalization->constants[3 + c]);
    for (int32_t p = 0; p < count; p += kLanes)
        store_run<Cast>(to + p, Cast::cast(normalize<FloatVector>(load_float(from + p), mean, std)), count - p);
}

/// Three rows to interleaved channels.
template <class Cast>
inline void store_interleaved(const float* const* rows, int32_t count, const Finish& finish,
                              typename Cast::Element* to) {
    typename Cast::Element lanes[3][kLanes];
    for (int32_t x = 0; x < count; x += kLanes) {
        for (int32_t c = 0; c < 3; ++c) store(lanes[c], Cast::cast(finish(load_float(rows[c] + x), c)));
        const int32_t some = count - x < kLanes ? count - x : kLanes;
        typename Cast::Element* const place = to + int64_t(x) * 3;
        if (some == kLanes)
            for (int32_t i = 0; i < kLanes; ++i)
                for (int32_t c = 0; c < 3; ++c) place[i * 3 + c] = lanes[c][i];
        else
            for (int32_t i = 0; i < some; ++i)
                for (int32_t c = 0; c < 3; ++c) place[i * 3 + c] = lanes[c][i];
    }
}

/// One row of one channel to any stride.
template <class Cast>
inline void store_strided(const float* from, int32_t count, int32_t c, const Finish& finish,
                          typename Cast::Element* to, int64_t stride) {
    typename Cast::Element lanes[kLanes];
    for (int32_t x = 0; x < count; x += kLanes) {
        store(lanes, Cast::cast(finish(load_float(from + x), c)));
        for (int32_t i = 0; i < kLanes && x + i < count; ++i) to[(x + i) * stride] = lanes[i];
    }
}

template <class Cast>
inline void store_view_as(View& view, const Finish& finish, const AugmentOutput& output, int64_t index) {
    using Element = typename Cast::Element;
    const int32_t channels = view.plan->channels, height = view.height, width = view.width;
    const int64_t stride_c = output.strides[1], stride_h = output.strides[2], stride_w = output.strides[3];
    Element* const out = static_cast<Element*>(output.data) + index * output.strides[0];
    if (!view.in_bank && stride_w == 1 && stride_h == width) {  // planar: a plane is one run
        for (int32_t c = 0; c < channels; ++c)
            store_contiguous<Cast>(view.plane(c), height * width, c, finish, out + c * stride_c);
        return;
    }
    const bool interleaved = channels == 3 && stride_c == 1 && stride_w == 3;
    const bool from_bank = view.in_bank;
    const BankRows bank(view);
    for (int32_t y = 0; y < height; ++y) {
        const float* rows[3] = {};
        for (int32_t c = 0; c < channels; ++c) {
            float* row = view.plane(c) + (from_bank ? 0 : int64_t(y) * width);
            if (from_bank) bank.read(c, y, row);
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
