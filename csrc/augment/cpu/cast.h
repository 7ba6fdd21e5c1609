// augment/cpu/cast.h: floats to the element types of the output, on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/vector.h"

namespace rote {
namespace {

inline WordVector bits_of(FloatVector x) {
    return (WordVector)x;
}

/// to_bfloat16 of rote/dtype.h on lanes, for numbers: checked programs and rows cannot make a NaN.
inline WordVector bfloat16_words(FloatVector x) {
    const WordVector bits = bits_of(x);
    return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

#if !defined(__AVX2__)
/// to_half of rote/dtype.h on lanes, for numbers. Below the smallest normal half, adding 0.5 to the magnitude lets the
/// float adder round to multiples of 2^-24, ties to even.
inline WordVector half_words(FloatVector x) {
    const WordVector bits = bits_of(x);
    const WordVector sign = (bits >> 16) & 0x8000u;
    const WordVector magnitude = bits & 0x7fffffffu;
    const WordVector rebased = magnitude - 0x38000000u;
    const WordVector normal = (rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13;
    const WordVector subnormal = bits_of((FloatVector)magnitude + 0.5f) - 0x3f000000u;
    const WordVector infinite = WordVector{} + 0x7c00u;
    WordVector result = magnitude < 0x38800000u ? subnormal : normal;
    result = magnitude >= 0x47800000u ? infinite : result;
    return result | sign;
}
#endif

/// Two vectors of pixels to kLanes elements of memory each.
inline HalfwordPair to_bfloat16_pair(FloatVector a, FloatVector b) {
    return narrow_pair(bfloat16_words(a), bfloat16_words(b));
}

inline HalfwordPair to_half_pair(FloatVector a, FloatVector b) {
#if defined(__AVX512F__)
    const __m256i halves[2] = {_mm512_cvtps_ph((__m512)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                               _mm512_cvtps_ph((__m512)b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
    return load<HalfwordPair>(halves);
#elif defined(__AVX2__)
    const __m128i halves[2] = {_mm256_cvtps_ph((__m256)a, _MM_FROUND_TO_NEAREST_INT),
                               _mm256_cvtps_ph((__m256)b, _MM_FROUND_TO_NEAREST_INT)};
    return load<HalfwordPair>(halves);
#else
    return narrow_pair(half_words(a), half_words(b));
#endif
}

}  // namespace
}  // namespace rote
