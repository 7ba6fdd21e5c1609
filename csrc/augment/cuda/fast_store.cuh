// augment/cuda/fast_store.cuh: the pixels of a thread on their way out: the cast, the layout.
#pragma once

#include "augment/cuda/fast_ops.cuh"
#include "augment/cuda/fast_team.cuh"

namespace rote {
namespace {

/// Round to nearest even by the conversion unit where there is one: the bits of to_half and to_bfloat16 for every value
/// but NaN, which no recipe makes.
template <class T>
__device__ __forceinline__ T cast_to(float value) {
    if constexpr (sizeof(T) == 4) {
        return value;
    } else {
#if defined(__CUDA_ARCH__)
        T out;
        if constexpr (std::is_same_v<T, Half>)
            asm("cvt.rn.f16.f32 %0, %1;" : "=h"(out.bits) : "f"(value));
        else
            asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out.bits) : "f"(value));
        return out;
#else
        if constexpr (std::is_same_v<T, Half>)
            return to_half(value);
        else
            return to_bfloat16(value);
#endif
    }
}

struct alignas(16) Wide {
    uint32_t words[4];
};

/// Where a thread stands in a pass: a column, and a strip of rows of which it holds kFastRows from y on.
struct Place {
    int32_t x, y, strip, strips, strip_rows;
    bool inside;
    int32_t height, width;
    bool upside_down;

    __device__ __forceinline__ int32_t row(int r) const { return upside_down ? height - 1 - (y + r) : y + r; }
    __device__ __forceinline__ bool has(int r) const { return inside && y + r < height; }
};

/// Element by element: neighbouring threads write neighbouring elements of a plane. Places in a view fit 32 bits.
template <int C, class T>
__device__ __forceinline__ void store_elements(const AugmentOutput& output, int64_t view, const Place& place,
                                               const Pixels<C>& v) {
    T* const base = static_cast<T*>(output.data) + view * output.strides[0];
    const int32_t channel = int32_t(output.strides[1]), line = int32_t(output.strides[2]);
    const int32_t step = place.upside_down ? -line : line;
    int32_t at = place.row(0) * line + place.x * int32_t(output.strides[3]);
#pragma unroll
    for (int r = 0; r < kFastRows; ++r) {
        if (place.has(r))
            for (int c = 0; c < C; ++c) base[at + c * channel] = cast_to<T>(v[c][r]);
        at += step;
    }
}

/// Channels-last: a thread's elements lie apart, so rows go through the chip and out 16 bytes at a time.
template <int C, class T, class Team>
__device__ __forceinline__ void store_rows(const AugmentOutput& output, int64_t view, const Place& place,
                                           const Pixels<C>& v, uint8_t* stage, const Team& team) {
    const int32_t row_elements = place.width * C, strip_elements = row_elements * kFastRows;
    T* const elements = reinterpret_cast<T*>(stage);
    if (place.inside)
        for (int r = 0; r < kFastRows; ++r)
            for (int c = 0; c < C; ++c)
                elements[place.strip * strip_elements + (place.upside_down ? kFastRows - 1 - r : r) * row_elements +
                         place.x * C + c] = cast_to<T>(v[c][r]);
    team.sync();
    const int32_t pieces = strip_elements * int32_t(sizeof(T)) / 16;
    T* const base = static_cast<T*>(output.data) + view * output.strides[0];
    for (int32_t i = team.rank; i < place.strips * pieces; i += team.size()) {
        const int32_t strip = i / pieces, y = place.y + (strip - place.strip) * place.strip_rows;
        if (y >= place.height) continue;
        const int32_t row = place.upside_down ? place.height - kFastRows - y : y;
        reinterpret_cast<Wide*>(base + row * row_elements)[i - strip * pieces] =
            reinterpret_cast<const Wide*>(stage)[i];
    }
    team.sync();
}

template <int C, class T, class Team>
__device__ __forceinline__ void store_as(const FastJob& job, int64_t view, const Place& place, const Pixels<C>& v,
                                         uint8_t* stage, const Team& team) {
    if (C > 1 && job.wide_stores)
        store_rows<C, T>(job.job.output, view, place, v, stage, team);
    else
        store_elements<C, T>(job.job.output, view, place, v);
}

template <int C, class Team>
__device__ __forceinline__ void store_pixels(const FastJob& job, int64_t view, const Place& place, const Pixels<C>& v,
                                             uint8_t* stage, const Team& team) {
    switch (job.job.output.dtype) {
        case DType::float16:
            return store_as<C, Half>(job, view, place, v, stage, team);
        case DType::bfloat16:
            return store_as<C, BFloat16>(job, view, place, v, stage, team);
        default:
            return store_as<C, float>(job, view, place, v, stage, team);
    }
}

/// A view whose address is bad.
template <int C, class Team>
__device__ __forceinline__ void store_nothing(const FastJob& job, int64_t view, const Team& team) {
    const AugmentOutput& output = job.job.output;
    const int32_t width = job.job.plan.out_width, count = job.job.plan.out_height * width;
    const float nan = float_from_bits(0x7fc00000u);
    for (int32_t p = team.rank; p < count; p += team.size())
        for (int c = 0; c < C; ++c) {
            const int64_t at = view * output.strides[0] + c * output.strides[1] + (p / width) * output.strides[2] +
                               (p % width) * output.strides[3];
            if (output.dtype == DType::float32)
                static_cast<float*>(output.data)[at] = nan;
            else if (output.dtype == DType::float16)
                static_cast<Half*>(output.data)[at] = to_half(nan);
            else
                static_cast<BFloat16*>(output.data)[at] = to_bfloat16(nan);
        }
}

}  // namespace
}  // namespace rote
