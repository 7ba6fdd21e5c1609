// augment/cpu/vector.h: the vectors of the instruction set this file is compiled for, and what compilers do not write
// well by themselves: conversions, clamps, gathers, streaming stores. Included by executor_* only.
#pragma once

#include <cstdint>
#include <cstring>

#include "augment/cpu/scratch.h"
#include "augment/meaning/color.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/// For what gcc would otherwise call with its vectors in memory.
#define ROTE_INLINE __attribute__((always_inline)) inline

namespace rote {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;  // SSE2, NEON
#endif

typedef float FloatVector __attribute__((vector_size(kLanes * 4)));
typedef int32_t IntVector __attribute__((vector_size(kLanes * 4)));
typedef uint32_t WordVector __attribute__((vector_size(kLanes * 4)));
typedef uint16_t HalfwordVector __attribute__((vector_size(kLanes * 2)));
typedef uint16_t HalfwordPair __attribute__((vector_size(kLanes * 4)));  // the pixels of two vectors
typedef uint8_t ByteVector __attribute__((vector_size(kLanes)));

template <class V, class T>
inline V load(const T* from) {
    V value;
    memcpy(&value, from, sizeof value);
    return value;
}

template <class V, class T>
inline void store(T* to, V value) {
    memcpy(to, &value, sizeof value);
}

inline FloatVector load_float(const float* from) {
    return load<FloatVector>(from);
}

/// 0, 1, 2, ...
inline IntVector lane_numbers() {
    IntVector lanes;
    for (int i = 0; i < kLanes; ++i) lanes[i] = i;
    return lanes;
}

/// kLanes bytes as integers, and integers as halfwords. (gcc 12 writes these conversions lane by lane.)
inline IntVector widen_bytes(const uint8_t* from) {
#if defined(__AVX512F__)
    return (IntVector)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#elif defined(__AVX2__)
    return (IntVector)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    typedef uint8_t Bytes __attribute__((vector_size(16)));
    typedef uint16_t Halfwords __attribute__((vector_size(16)));
    uint32_t word;
    memcpy(&word, from, sizeof word);
    const Bytes bytes = (Bytes)WordVector{word, 0, 0, 0};
    const Halfwords halves =
        (Halfwords)__builtin_shuffle(bytes, Bytes{}, Bytes{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23});
    return (IntVector)__builtin_shuffle(halves, Halfwords{}, Halfwords{0, 8, 1, 9, 2, 10, 3, 11});
#else
    return __builtin_convertvector(load<ByteVector>(from), IntVector);
#endif
}

inline HalfwordVector narrow_words(WordVector words) {
#if defined(__AVX512F__)
    return (HalfwordVector)_mm512_cvtepi32_epi16((__m512i)words);
#elif defined(__AVX2__)
    const __m256i packed = _mm256_packus_epi32((__m256i)words, (__m256i)words);
    return (HalfwordVector)_mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0xd8));
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    typedef uint16_t Halfwords __attribute__((vector_size(16)));
    const Halfwords low = __builtin_shuffle((Halfwords)words, Halfwords{0, 2, 1, 3, 4, 6, 5, 7});
    const WordVector pairs = __builtin_shuffle((WordVector)low, WordVector{0, 2, 1, 3});
    return load<HalfwordVector>(&pairs);
#else
    return __builtin_convertvector(words, HalfwordVector);
#endif
}

inline FloatVector unit_from_bytes(const uint8_t* from) {
    const FloatVector x = __builtin_convertvector(widen_bytes(from), FloatVector);
#if defined(__AVX512F__)
    // The first product of unit_from_byte is exact, so that fusing it changes no bit.
    return (FloatVector)_mm512_fmadd_ps((__m512)x, _mm512_set1_ps(kByteUnitHigh), (__m512)(x * kByteUnitLow));
#elif defined(__AVX2__)
    return (FloatVector)_mm256_fmadd_ps((__m256)x, _mm256_set1_ps(kByteUnitHigh), (__m256)(x * kByteUnitLow));
#else
    return unit_from_byte<FloatVector>(x);
#endif
}

inline FloatVector gather(const float* from, IntVector index) {
#if defined(__AVX512F__)
    return (FloatVector)_mm512_i32gather_ps((__m512i)index, from, 4);
#elif defined(__AVX2__)
    return (FloatVector)_mm256_i32gather_ps(from, (__m256i)index, 4);
#else
    FloatVector value;
    for (int i = 0; i < kLanes; ++i) value[i] = from[index[i]];
    return value;
#endif
}

#if defined(__AVX2__)
constexpr bool kFuses = true;
#else
constexpr bool kFuses = false;
#endif

/// a * b + c in one rounding; only where kFuses.
inline FloatVector fused(FloatVector a, FloatVector b, FloatVector c) {
#if defined(__AVX512F__)
    return (FloatVector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
    return (FloatVector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;  // never called
#endif
}

}  // namespace

inline namespace ROTE_LEVEL {

// gcc 12 adds the zero of the general splat, and writes the selects of max and min as compares and blends.
template <>
inline FloatVector splat<FloatVector>(float value) {
#if defined(__AVX512F__)
    return (FloatVector)_mm512_set1_ps(value);
#elif defined(__AVX2__)
    return (FloatVector)_mm256_set1_ps(value);
#else
    return FloatVector{value, value, value, value};
#endif
}
#if defined(__AVX512F__)
template <>
inline FloatVector greatest<FloatVector>(FloatVector a, FloatVector b) {
    return (FloatVector)_mm512_max_ps((__m512)a, (__m512)b);
}
template <>
inline FloatVector least<FloatVector>(FloatVector a, FloatVector b) {
    return (FloatVector)_mm512_min_ps((__m512)a, (__m512)b);
}
#elif defined(__AVX2__)
template <>
inline FloatVector greatest<FloatVector>(FloatVector a, FloatVector b) {
    return (FloatVector)_mm256_max_ps((__m256)a, (__m256)b);
}
template <>
inline FloatVector least<FloatVector>(FloatVector a, FloatVector b) {
    return (FloatVector)_mm256_min_ps((__m256)a, (__m256)b);
}
#endif

/// AMD's cores since Zen have adders (which also compare for max and min) apart from the multipliers. The colour formulas
/// are mostly sums and clamps, so that sums multiplied by one run besides; the product is exact.
template <>
inline FloatVector sum_apart<FloatVector>(FloatVector a, FloatVector b) {
    return kFuses ? fused(a, splat<FloatVector>(1.0f), b) : a + b;
}
template <>
inline FloatVector difference_apart<FloatVector>(FloatVector a, FloatVector b) {
    return kFuses ? fused(b, splat<FloatVector>(-1.0f), a) : a - b;
}
}  // namespace ROTE_LEVEL

namespace {

inline FloatVector fused(FloatVector a, float b, FloatVector c) {
    return fused(a, splat<FloatVector>(b), c);
}

/// The low halfwords of two vectors, in order.
inline HalfwordPair narrow_pair(WordVector a, WordVector b) {
#if defined(__AVX512F__)
    return __builtin_shuffle((HalfwordPair)a, (HalfwordPair)b,
                             HalfwordPair{0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
                                          32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62});
#elif defined(__AVX2__)
    return (HalfwordPair)_mm256_permute4x64_epi64(_mm256_packus_epi32((__m256i)a, (__m256i)b), 0xd8);
#else
    const HalfwordVector halves[2] = {narrow_words(a), narrow_words(b)};
    return load<HalfwordPair>(halves);
#endif
}

/// Streaming stores go to memory without reading it first; they want aligned addresses.
#if defined(__AVX2__)
constexpr bool kStreams = true;
#else
constexpr bool kStreams = false;
#endif
constexpr int kStreamAlignment = kLanes * 4;

template <class V>
inline void stream(void* to, V value) {
#if defined(__AVX512F__)
    _mm512_stream_si512(static_cast<__m512i*>(to), (__m512i)value);
#elif defined(__AVX2__)
    _mm256_stream_si256(static_cast<__m256i*>(to), (__m256i)value);
#else
    memcpy(to, &value, sizeof value);
#endif
}

/// Orders streaming stores before whatever tells another thread that they are done.
inline void end_stream() {
#if defined(__AVX2__)
    _mm_sfence();
#endif
}

}  // namespace
}  // namespace rote
