// augment/cpu/interleave.h: three vectors a, b, c to memory as a0 b0 c0 a1 b1 c1 ... Included by executor_* only.
#pragma once

#include "augment/cpu/vector.h"

namespace rote {
namespace {

#if defined(__AVX2__)

/// Eight pixels of float32: each output vector takes every third lane from each channel, rotated into place.
inline void interleave_eight(__m256 a, __m256 b, __m256 c, float* to) {
    const __m256 ra = _mm256_permutevar8x32_ps(a, _mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5));
    const __m256 rb = _mm256_permutevar8x32_ps(b, _mm256_setr_epi32(5, 0, 3, 6, 1, 4, 7, 2));
    const __m256 rc = _mm256_permutevar8x32_ps(c, _mm256_setr_epi32(2, 5, 0, 3, 6, 1, 4, 7));
    // Lanes 0 3 6 of the first vector are a, 1 4 7 are b, 2 5 are c; each further vector shifts that by one.
    _mm256_storeu_ps(to, _mm256_blend_ps(_mm256_blend_ps(ra, rb, 0x92), rc, 0x24));
    _mm256_storeu_ps(to + 8, _mm256_blend_ps(_mm256_blend_ps(ra, rb, 0x24), rc, 0x49));
    _mm256_storeu_ps(to + 16, _mm256_blend_ps(_mm256_blend_ps(ra, rb, 0x49), rc, 0x92));
}

/// Eight pixels of 16-bit elements.
inline void interleave_eight(__m128i a, __m128i b, __m128i c, uint16_t* to) {
    const __m128i ra = _mm_shuffle_epi8(a, _mm_setr_epi8(0, 1, 6, 7, 12, 13, 2, 3, 8, 9, 14, 15, 4, 5, 10, 11));
    const __m128i rb = _mm_shuffle_epi8(b, _mm_setr_epi8(10, 11, 0, 1, 6, 7, 12, 13, 2, 3, 8, 9, 14, 15, 4, 5));
    const __m128i rc = _mm_shuffle_epi8(c, _mm_setr_epi8(4, 5, 10, 11, 0, 1, 6, 7, 12, 13, 2, 3, 8, 9, 14, 15));
    __m128i* const out = reinterpret_cast<__m128i*>(to);
    _mm_storeu_si128(out, _mm_blend_epi16(_mm_blend_epi16(ra, rb, 0x92), rc, 0x24));
    _mm_storeu_si128(out + 1, _mm_blend_epi16(_mm_blend_epi16(ra, rb, 0x24), rc, 0x49));
    _mm_storeu_si128(out + 2, _mm_blend_epi16(_mm_blend_epi16(ra, rb, 0x49), rc, 0x92));
}

#endif

#if defined(__AVX512F__)

inline void interleave(FloatVector a, FloatVector b, FloatVector c, float* to) {
    interleave_eight(_mm512_castps512_ps256((__m512)a), _mm512_castps512_ps256((__m512)b),
                     _mm512_castps512_ps256((__m512)c), to);
    interleave_eight(_mm512_extractf32x8_ps((__m512)a, 1), _mm512_extractf32x8_ps((__m512)b, 1),
                     _mm512_extractf32x8_ps((__m512)c, 1), to + 24);
}
inline void interleave(HalfwordVector a, HalfwordVector b, HalfwordVector c, uint16_t* to) {
    interleave_eight(_mm256_castsi256_si128((__m256i)a), _mm256_castsi256_si128((__m256i)b),
                     _mm256_castsi256_si128((__m256i)c), to);
    interleave_eight(_mm256_extracti128_si256((__m256i)a, 1), _mm256_extracti128_si256((__m256i)b, 1),
                     _mm256_extracti128_si256((__m256i)c, 1), to + 24);
}

#elif defined(__AVX2__)

inline void interleave(FloatVector a, FloatVector b, FloatVector c, float* to) {
    interleave_eight((__m256)a, (__m256)b, (__m256)c, to);
}
inline void interleave(HalfwordVector a, HalfwordVector b, HalfwordVector c, uint16_t* to) {
    interleave_eight((__m128i)a, (__m128i)b, (__m128i)c, to);
}

#else

template <class V, class Element>
inline void interleave(V a, V b, V c, Element* to) {
    for (int i = 0; i < kLanes; ++i) {
        to[3 * i] = a[i];
        to[3 * i + 1] = b[i];
        to[3 * i + 2] = c[i];
    }
}

#endif

}  // namespace
}  // namespace rote
