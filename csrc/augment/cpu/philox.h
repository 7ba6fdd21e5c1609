// augment/cpu/philox.h: blocks of random words on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/vector.h"
#include "rote/philox.h"

namespace rote {
namespace {

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

/// philox4x32_10 of rote/philox.h on lanes: counters in, words out.
inline void philox_lanes(WordVector (&words)[4], uint32_t k0, uint32_t k1) {
    WordVector c0 = words[0], c1 = words[1], c2 = words[2], c3 = words[3];
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

}  // namespace
}  // namespace rote
