// augment/cpu/normalization_avx2.cpp: all mantissas through a division and its replacement.

#if defined(ROTE_X86)

#include <immintrin.h>

#include "augment/cpu/normalization.h"

namespace rote {

bool reciprocal_is_exact(float std, float high, float low) {
    const __m256 divisor = _mm256_set1_ps(std), highs = _mm256_set1_ps(high), lows = _mm256_set1_ps(low);
    __m256i bits = _mm256_setr_epi32(0x3f800000, 0x3f800001, 0x3f800002, 0x3f800003, 0x3f800004, 0x3f800005, 0x3f800006,
                                     0x3f800007);
    __m256 differs = _mm256_setzero_ps();
    for (int32_t i = 0; i < 1 << 20; ++i) {
        const __m256 y = _mm256_castsi256_ps(bits);
        const __m256 quotient = _mm256_fmadd_ps(y, highs, _mm256_mul_ps(y, lows));
        differs = _mm256_or_ps(differs, _mm256_cmp_ps(quotient, _mm256_div_ps(y, divisor), _CMP_NEQ_UQ));
        bits = _mm256_add_epi32(bits, _mm256_set1_epi32(8));
    }
    return _mm256_movemask_ps(differs) == 0;
}

}  // namespace rote

#endif
