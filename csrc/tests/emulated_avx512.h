// tests/emulated_avx512.h: AVX-512 for the *_avx512.cpp files on a CPU with AVX2, by SIMDe. ROTE_EMULATE_AVX512 (CMake)
// includes this before the first line of those files; nothing else may.
#pragma once

#if defined(__AVX512F__)
#error "emulated_avx512.h: wanted a file compiled without AVX-512, got one compiled with it"
#endif
#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "emulated_avx512.h: wanted AVX2, FMA and F16C: SIMDe fuses a multiply-add only where the CPU does"
#endif

// SIMDe's macros must come after the compiler's declarations. Whatever neither SIMDe nor this file defines does not
// compile: the compiler's own intrinsic asks for a target that is not enabled.
#include <immintrin.h>
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <cstring>

// What SIMDe 0.7 lacks; later versions have some of it, and theirs is taken then.
namespace rote {
namespace emulated_avx512 {

template <int Part, class Wide, class Half>
inline void get_half(Wide wide, Half& half) {
    static_assert(sizeof(Wide) == 64 && sizeof(Half) == 32, "halves of 64 bytes");
    std::memcpy(&half, reinterpret_cast<const char*>(&wide) + 32 * Part, 32);
}

template <class Wide, class Half>
inline Wide join(Half low, Half high) {
    Wide wide;
    std::memcpy(&wide, &low, 32);
    std::memcpy(reinterpret_cast<char*>(&wide) + 32, &high, 32);
    return wide;
}

template <int Part>
inline __m256 extract_ps(__m512 a) {
    __m256 half;
    get_half<Part>(a, half);
    return half;
}

template <int Part>
inline __m256i extract_si256(__m512i a) {
    __m256i half;
    get_half<Part>(a, half);
    return half;
}

inline __m512i widen_bytes(__m128i a) {
    return join<__m512i>(_mm256_cvtepu8_epi32(a), _mm256_cvtepu8_epi32(_mm_srli_si128(a, 8)));
}

inline __m512i widen_to_halfwords(__m256i a) {
    return join<__m512i>(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(a)),
                         _mm256_cvtepu8_epi16(_mm256_extracti128_si256(a, 1)));
}

inline __m256i to_halves(__m512 a) {
    return _mm256_set_m128i(_mm256_cvtps_ph(extract_ps<1>(a), _MM_FROUND_TO_NEAREST_INT),
                            _mm256_cvtps_ph(extract_ps<0>(a), _MM_FROUND_TO_NEAREST_INT));
}

inline __m256i truncate_words(__m512i a) {
    typedef int32_t Words __attribute__((vector_size(64)));
    typedef int16_t Halfwords __attribute__((vector_size(32)));
    return (__m256i) __builtin_convertvector((Words)a, Halfwords);
}

inline __m512 to_floats(__m512i a) {
    return join<__m512>(_mm256_cvtepi32_ps(extract_si256<0>(a)), _mm256_cvtepi32_ps(extract_si256<1>(a)));
}

inline __m512i to_words(__m512 a) {
    return join<__m512i>(_mm256_cvtps_epi32(extract_ps<0>(a)), _mm256_cvtps_epi32(extract_ps<1>(a)));
}

template <int Scale>
inline __m512 gather(__m512i index, const void* from) {
    const float* const base = static_cast<const float*>(from);
    return join<__m512>(_mm256_i32gather_ps(base, extract_si256<0>(index), Scale),
                        _mm256_i32gather_ps(base, extract_si256<1>(index), Scale));
}

/// Quarters of 16 bytes: two of a, then two of b.
template <int Control>
inline __m512 shuffle_quarters(__m512 a, __m512 b) {
    float from[2][16], to[16];
    _mm512_storeu_ps(from[0], a);
    _mm512_storeu_ps(from[1], b);
    for (int quarter = 0; quarter < 4; ++quarter)
        for (int i = 0; i < 4; ++i) to[4 * quarter + i] = from[quarter / 2][4 * ((Control >> (2 * quarter)) & 3) + i];
    return _mm512_loadu_ps(to);
}

}  // namespace emulated_avx512
}  // namespace rote

#undef _mm512_madd_epi16  // 0.7's macro takes four arguments
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
#if !defined(_mm512_extractf32x8_ps)
#define _mm512_extractf32x8_ps(a, part) rote::emulated_avx512::extract_ps<(part)>(a)
#endif
#if !defined(_mm512_cvtepu8_epi32)
#define _mm512_cvtepu8_epi32(a) rote::emulated_avx512::widen_bytes(a)
#endif
#if !defined(_mm512_cvtepu8_epi16)
#define _mm512_cvtepu8_epi16(a) rote::emulated_avx512::widen_to_halfwords(a)
#endif
#if !defined(_mm512_cvtps_ph)
#define _mm512_cvtps_ph(a, rounding) rote::emulated_avx512::to_halves(a)
#endif
#if !defined(_mm512_shuffle_f32x4)
#define _mm512_shuffle_f32x4(a, b, control) rote::emulated_avx512::shuffle_quarters<(control)>(a, b)
#endif
#if !defined(_mm512_stream_si512)
#define _mm512_stream_si512(to, a) _mm512_storeu_si512(to, a)
#endif
#if !defined(_mm512_cvtepi32_epi16)
#define _mm512_cvtepi32_epi16(a) rote::emulated_avx512::truncate_words(a)
#endif
#if !defined(_mm512_cvtepi32_ps)
#define _mm512_cvtepi32_ps(a) rote::emulated_avx512::to_floats(a)
#endif
#if !defined(_mm512_cvtps_epi32)
#define _mm512_cvtps_epi32(a) rote::emulated_avx512::to_words(a)
#endif
#if !defined(_mm512_i32gather_ps)
#define _mm512_i32gather_ps(index, from, scale) rote::emulated_avx512::gather<(scale)>(index, from)
#endif

// From here on the code may believe in AVX-512: every header that asks has been read.
#define __AVX512F__ 1
#define __AVX512BW__ 1
#define __AVX512DQ__ 1
#define __AVX512VL__ 1
#if defined(ROTE_EMULATE_VNNI)
#define __AVX512VNNI__ 1
#endif
