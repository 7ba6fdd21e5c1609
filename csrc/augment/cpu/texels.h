// augment/cpu/texels.h: an image as texels, the channels of a pixel side by side, so that one load brings a pixel or
// two neighbours. For maps that read pixels in any order. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"

namespace rote {
namespace {

constexpr int32_t kTexelChannels = 3;  // images of more go through in groups; the fourth float is anything

typedef float Texel __attribute__((vector_size(16)));
typedef float TexelPair __attribute__((vector_size(32)));  // two neighbours of a row

/// Four vectors to memory as a0 b0 c0 d0 a1 b1 c1 d1 ..
inline void store_quads(FloatVector a, FloatVector b, FloatVector c, FloatVector d, float* to) {
#if defined(__AVX512F__)
    const __m512 ac0 = _mm512_unpacklo_ps((__m512)a, (__m512)c), ac1 = _mm512_unpackhi_ps((__m512)a, (__m512)c);
    const __m512 bd0 = _mm512_unpacklo_ps((__m512)b, (__m512)d), bd1 = _mm512_unpackhi_ps((__m512)b, (__m512)d);
    // Pixels k, 4 + k, 8 + k, 12 + k in the four quarters.
    const __m512 k0 = _mm512_unpacklo_ps(ac0, bd0), k1 = _mm512_unpackhi_ps(ac0, bd0);
    const __m512 k2 = _mm512_unpacklo_ps(ac1, bd1), k3 = _mm512_unpackhi_ps(ac1, bd1);
    const __m512 low01 = _mm512_shuffle_f32x4(k0, k1, 0x44), high01 = _mm512_shuffle_f32x4(k0, k1, 0xee);
    const __m512 low23 = _mm512_shuffle_f32x4(k2, k3, 0x44), high23 = _mm512_shuffle_f32x4(k2, k3, 0xee);
    _mm512_storeu_ps(to, _mm512_shuffle_f32x4(low01, low23, 0x88));
    _mm512_storeu_ps(to + 16, _mm512_shuffle_f32x4(low01, low23, 0xdd));
    _mm512_storeu_ps(to + 32, _mm512_shuffle_f32x4(high01, high23, 0x88));
    _mm512_storeu_ps(to + 48, _mm512_shuffle_f32x4(high01, high23, 0xdd));
#elif defined(__AVX2__)
    const __m256 ac0 = _mm256_unpacklo_ps((__m256)a, (__m256)c), ac1 = _mm256_unpackhi_ps((__m256)a, (__m256)c);
    const __m256 bd0 = _mm256_unpacklo_ps((__m256)b, (__m256)d), bd1 = _mm256_unpackhi_ps((__m256)b, (__m256)d);
    const __m256 k0 = _mm256_unpacklo_ps(ac0, bd0), k1 = _mm256_unpackhi_ps(ac0, bd0);
    const __m256 k2 = _mm256_unpacklo_ps(ac1, bd1), k3 = _mm256_unpackhi_ps(ac1, bd1);
    _mm256_storeu_ps(to, _mm256_permute2f128_ps(k0, k1, 0x20));
    _mm256_storeu_ps(to + 8, _mm256_permute2f128_ps(k2, k3, 0x20));
    _mm256_storeu_ps(to + 16, _mm256_permute2f128_ps(k0, k1, 0x31));
    _mm256_storeu_ps(to + 24, _mm256_permute2f128_ps(k2, k3, 0x31));
#else
    for (int i = 0; i < kLanes; ++i) {
        to[4 * i] = a[i];
        to[4 * i + 1] = b[i];
        to[4 * i + 2] = c[i];
        to[4 * i + 3] = d[i];
    }
#endif
}

/// The first three of every four floats as three vectors.
inline void load_quads(const float* from, FloatVector* abc) {
#if defined(__AVX512F__)
    const __m512 p0 = _mm512_loadu_ps(from), p1 = _mm512_loadu_ps(from + 16);
    const __m512 p2 = _mm512_loadu_ps(from + 32), p3 = _mm512_loadu_ps(from + 48);
    const __m512i first = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const __m512i third = _mm512_add_epi32(first, _mm512_set1_epi32(2));
    const __m512 low = _mm512_permutex2var_ps(p0, first, p1), high = _mm512_permutex2var_ps(p2, first, p3);
    abc[0] = (FloatVector)_mm512_shuffle_f32x4(low, high, 0x44);
    abc[1] = (FloatVector)_mm512_shuffle_f32x4(low, high, 0xee);
    abc[2] = (FloatVector)_mm512_shuffle_f32x4(_mm512_permutex2var_ps(p0, third, p1),
                                               _mm512_permutex2var_ps(p2, third, p3), 0x44);
#elif defined(__AVX2__)
    const __m256 p0 = _mm256_loadu_ps(from), p1 = _mm256_loadu_ps(from + 8);
    const __m256 p2 = _mm256_loadu_ps(from + 16), p3 = _mm256_loadu_ps(from + 24);
    const __m256 k0 = _mm256_permute2f128_ps(p0, p2, 0x20), k1 = _mm256_permute2f128_ps(p0, p2, 0x31);
    const __m256 k2 = _mm256_permute2f128_ps(p1, p3, 0x20), k3 = _mm256_permute2f128_ps(p1, p3, 0x31);
    const __m256 ab01 = _mm256_unpacklo_ps(k0, k1), ab23 = _mm256_unpacklo_ps(k2, k3);
    const __m256 cd01 = _mm256_unpackhi_ps(k0, k1), cd23 = _mm256_unpackhi_ps(k2, k3);
    abc[0] = (FloatVector)_mm256_shuffle_ps(ab01, ab23, 0x44);
    abc[1] = (FloatVector)_mm256_shuffle_ps(ab01, ab23, 0xee);
    abc[2] = (FloatVector)_mm256_shuffle_ps(cd01, cd23, 0x44);
#else
    for (int c = 0; c < 3; ++c) abc[c] = FloatVector{from[c], from[4 + c], from[8 + c], from[12 + c]};
#endif
}

/// The texels of three channels with a border, one texel wide before and two behind, that shows `border`.
struct TexelImage {
    const float* texels;
    int32_t pitch;  // texels from one row to the next; pixel (y, x) is texel (y + 1) * pitch + x + 1
};

inline TexelImage to_texels(const View& view, int32_t first_channel, float border) {
    const int32_t height = view.height, width = view.width, pitch = width + 3;
    const int32_t last = view.plan->channels - 1;
    const float* planes[kTexelChannels];
    for (int32_t c = 0; c < kTexelChannels; ++c)
        planes[c] = view.plane(first_channel + c < last ? first_channel + c : last);
    float* const texels = view.part<float>(view.layout->texels);
    for (int32_t y = 0; y < height; ++y) {
        float* const to = texels + (int64_t(y + 1) * pitch + 1) * 4;
        const int64_t row = int64_t(y) * width;
        for (int32_t x = 0; x < width; x += kLanes) {  // runs over into the border and the next row, written later
            const FloatVector a = load_float(planes[0] + row + x);
            store_quads(a, load_float(planes[1] + row + x), load_float(planes[2] + row + x), a, to + x * 4);
        }
    }
    const Texel edge = splat<Texel>(border);
    const auto put = [&](int64_t texel) { store(texels + texel * 4, edge); };
    for (int64_t x = 0; x < pitch; ++x) {
        put(x);
        put((height + 1) * int64_t(pitch) + x);
        put((height + 2) * int64_t(pitch) + x);
    }
    for (int64_t y = 1; y <= height; ++y) {
        put(y * pitch);
        put(y * pitch + width + 1);
        put(y * pitch + width + 2);
    }
    return {texels, pitch};
}

}  // namespace
}  // namespace rote
