// augment/cpu/vector.h: the vectors of the instruction set this file is compiled for, and the two things compilers do
// not write well by themselves: gathering floats, and rearranging a row of bytes. Included by executor_* only.
#pragma once

#include <cstdint>
#include <cstring>

#include "augment/cpu/scratch.h"
#include "augment/meaning/color.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

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

/// A fixed rearrangement of the bytes of a row: out[d] = row[index[d]], 0 where index is -1.
struct RowGather {
    const int32_t* index = nullptr;
    int32_t count = 0;   // bytes out
    int32_t width = 0;   // bytes in
    int32_t chunks = 0;  // 16-byte pieces of the row that are read; 0: byte by byte
    int32_t first_chunk = 0;
    uint8_t* controls = nullptr;
};

#if defined(__AVX2__)

/// Shuffle controls per 16-byte chunk of the row: in-chunk positions, or the zeroing bit where another chunk holds it.
/// `index` is padded with -1 to a multiple of 32.
inline RowGather plan_gather(int32_t* index, int32_t count, int32_t width, uint8_t* controls) {
    RowGather gather{index, count, width, 0, 0, controls};
    const int32_t blocks = (count + 31) / 32;
    for (int32_t d = count; d < blocks * 32; ++d) index[d] = -1;
    uint32_t least = uint32_t(width - 1);
    int32_t most = 0;
    for (int32_t d = 0; d < blocks * 32; ++d) {
        least = uint32_t(index[d]) < least ? uint32_t(index[d]) : least;
        most = index[d] > most ? index[d] : most;
    }
    const int32_t first = int32_t(least) / 16, chunks = most / 16 - first + 1;
    if (chunks < 1 || chunks > kMaxGatherChunks) return gather;
    gather.chunks = chunks;
    gather.first_chunk = first;
    alignas(32) uint8_t packed[32];
    for (int32_t block = 0; block < blocks; ++block) {
        const int32_t* const from = index + block * 32;
        for (int32_t i = 0; i < 32; ++i) packed[i] = uint8_t(from[i] < 0 ? 255 : from[i] - 16 * first);
        const __m256i positions = _mm256_load_si256(reinterpret_cast<const __m256i*>(packed));
        for (int32_t c = 0; c < chunks; ++c) {
            // 0..15 becomes 0x70..0x7f (a position), everything else saturates into bit 7 (zero).
            const __m256i local = _mm256_sub_epi8(positions, _mm256_set1_epi8(char(16 * c)));
            _mm256_store_si256(reinterpret_cast<__m256i*>(controls + (int64_t(c) * blocks + block) * 32),
                               _mm256_adds_epu8(local, _mm256_set1_epi8(0x70)));
        }
    }
    return gather;
}

/// `padded` holds at least width rounded up to 16 bytes and is used where a whole chunk would run off the row.
inline void gather_row(const RowGather& gather, const uint8_t* row, uint8_t* padded, uint8_t* out) {
    if (gather.chunks == 0) {
        for (int32_t d = 0; d < gather.count; ++d) out[d] = gather.index[d] < 0 ? 0 : row[gather.index[d]];
        return;
    }
    if ((gather.first_chunk + gather.chunks) * 16 > gather.width) {
        memcpy(padded, row, size_t(gather.width));
        row = padded;
    }
    const __m256i* const controls = reinterpret_cast<const __m256i*>(gather.controls);
    const auto chunk_at = [&](int32_t c) {
        return _mm256_broadcastsi128_si256(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + (gather.first_chunk + c) * 16)));
    };
    const int32_t blocks = (gather.count + 31) / 32;
    if (blocks == 1 && gather.chunks == 2) {  // 32 px, the common case
        const __m256i bytes = _mm256_or_si256(_mm256_shuffle_epi8(chunk_at(0), _mm256_load_si256(controls)),
                                              _mm256_shuffle_epi8(chunk_at(1), _mm256_load_si256(controls + 1)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
        return;
    }
    for (int32_t block = 0; block < blocks; ++block) {
        __m256i bytes = _mm256_setzero_si256();
        for (int32_t c = 0; c < gather.chunks; ++c) {
            const __m256i control = _mm256_load_si256(controls + int64_t(c) * blocks + block);
            bytes = _mm256_or_si256(bytes, _mm256_shuffle_epi8(chunk_at(c), control));
        }
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + block * 32), bytes);
    }
}

#else

inline RowGather plan_gather(int32_t* index, int32_t count, int32_t width, uint8_t* controls) {
    return {index, count, width, 0, 0, controls};
}

inline void gather_row(const RowGather& gather, const uint8_t* row, uint8_t*, uint8_t* out) {
    for (int32_t d = 0; d < gather.count; ++d) out[d] = gather.index[d] < 0 ? 0 : row[gather.index[d]];
}

#endif

}  // namespace
}  // namespace rote
