// augment/cpu/normals.h: standard normal numbers by key on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/vector.h"
#include "augment/meaning/noise.h"

namespace rote {
namespace {

struct VectorLanes {
    using Float = FloatVector;
    using Int = IntVector;
    using Word = WordVector;
    static Float from_int(Int x) { return __builtin_convertvector(x, Float); }
    static Float from_word(Word x) {
        // Both halves and the product are exact, so that the sum is rounded once, as a conversion would be.
        return from_int((Int)(x >> 16)) * 65536.0f + from_int((Int)(x & 0xffffu));
    }
    static Float root(Float x) {
#if defined(__AVX512F__)
        return (Float)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
        return (Float)_mm256_sqrt_ps((__m256)x);
#else
        Float y;
        for (int i = 0; i < kLanes; ++i) y[i] = ScalarLanes::root(x[i]);
        return y;
#endif
    }
};

struct WideProduct {
    WordVector high, low;
};

/// The 64-bit products of a constant and the lanes, in halves.
inline WideProduct wide_product(uint32_t factor, WordVector x) {
#if defined(__AVX512F__)
    const __m512i f = _mm512_set1_epi32(int32_t(factor));
    const __m512i even = _mm512_mul_epu32((__m512i)x, f);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)x, 32), f);
    return {(WordVector)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd),
            (WordVector)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32))};
#elif defined(__AVX2__)
    const __m256i f = _mm256_set1_epi32(int32_t(factor));
    const __m256i even = _mm256_mul_epu32((__m256i)x, f);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)x, 32), f);
    return {(WordVector)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa),
            (WordVector)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa)};
#else
    WideProduct product;
    for (int i = 0; i < kLanes; ++i) {
        const uint64_t wide = uint64_t(factor) * x[i];
        product.high[i] = uint32_t(wide >> 32);
        product.low[i] = uint32_t(wide);
    }
    return product;
#endif
}

/// philox4x32_10 of rote/philox.h on lanes, for a counter whose upper two words are 0.
inline void philox_lanes(WordVector counter0, uint32_t counter1, NoiseKey key, WordVector (&words)[4]) {
    WordVector c0 = counter0, c1 = WordVector{} + counter1, c2{}, c3{};
    uint32_t k0 = key.low, k1 = key.high;
    for (int round = 0; round < 10; ++round) {
        const WideProduct first = wide_product(0xD2511F53u, c0), second = wide_product(0xCD9E8D57u, c2);
        c0 = second.high ^ c1 ^ k0;
        c1 = second.low;
        c2 = first.high ^ c3 ^ k1;
        c3 = first.low;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

/// fn(element, normals of elements element .. element + kLanes - 1) for the first `count` elements of a channel; the
/// last vector may hold elements behind them.
template <class Fn>
inline void for_each_normal(NoiseKey key, int32_t channel, int32_t count, Fn&& fn) {
    WordVector lane;
    for (int i = 0; i < kLanes; ++i) lane[i] = uint32_t(i);
    for (int32_t tile = 0; tile < count; tile += kNoiseTile)
        for (int32_t part = 0; part < kNoiseTileBlocks; part += kLanes) {
            if (tile + part >= count) return;
            WordVector words[4];
            FloatVector normals[4];
            philox_lanes(lane + uint32_t(tile / kNoiseTile * kNoiseTileBlocks + part), uint32_t(channel), key, words);
            block_normals<VectorLanes>(words, normals);
            for (int32_t j = 0; j < 4; ++j) {
                const int32_t element = tile + kNoiseTileBlocks * j + part;
                if (element < count) fn(element, normals[j]);
            }
        }
}

}  // namespace
}  // namespace rote
