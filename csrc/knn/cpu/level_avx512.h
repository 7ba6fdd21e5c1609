// knn/cpu/level_avx512.h: vectors of AVX-512 for the kernel templates, with VNNI where the file that includes it is
// compiled with it. Tile 12 x 32: 24 sums, 2 references, queries broadcast from memory by the multiply itself.
#pragma once

#include <immintrin.h>

#include "knn/cpu/kernel_templates.h"
#include "knn/cpu/kernels.h"

namespace rote {
namespace {

struct Vector16 {
    using F = __m512;
    static constexpr int kLanes = 16;
    static constexpr bool kFused = true;

    static ROTE_INLINE F load(const float* p) { return _mm512_loadu_ps(p); }
    static ROTE_INLINE void store(float* p, F v) { _mm512_storeu_ps(p, v); }
    static ROTE_INLINE F broadcast(float x) { return _mm512_set1_ps(x); }
    // The masked form: gcc 12 warns of what the plain one leaves undefined.
    static ROTE_INLINE F smaller(F a, F b) { return _mm512_mask_min_ps(a, __mmask16(0xffff), a, b); }
    static ROTE_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    using Mask = __mmask16;
    static ROTE_INLINE Mask not_below(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ); }
    static ROTE_INLINE Mask either(Mask a, Mask b) { return __mmask16(a | b); }
    static ROTE_INLINE uint32_t bits(Mask mask) { return uint32_t(mask); }
};

struct Avx512 {
    using Vector = Vector16;
    static constexpr int kQueryRows = 12, kPanelVectors = 2, kDoubleLanes = 8, kPrefetch = 16;

    using Integers = __m512i;
    static constexpr int kInt16Rows = 12;
    static ROTE_INLINE __m512i load_pairs(const int16_t* p) { return _mm512_loadu_si512(p); }
    static ROTE_INLINE __m512i broadcast_pair(const int16_t* p) {
        int32_t pair;
        std::memcpy(&pair, p, sizeof pair);
        return _mm512_set1_epi32(pair);
    }
    static ROTE_INLINE void add_products(__m512i& sum, __m512i a, __m512i b) {
#if defined(__AVX512VNNI__)
        sum = _mm512_dpwssd_epi32(sum, a, b);
#else
        sum = _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
    }
    static ROTE_INLINE void multiply(const Int16Tile& tile, __m512i (&sum)[12][2]) {
        multiply_int16<Avx512>(tile, sum);
    }
    static ROTE_INLINE __m512 to_floats(__m512i v) {
        typedef int32_t Words __attribute__((vector_size(64)));
        return __builtin_convertvector(Words(v), __m512);
    }

    static void half_to_float(const uint16_t* in, int64_t count, float* out) {
        int64_t i = 0;
        for (; i + 8 <= count; i += 8)
            _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
        for (; i < count; ++i) out[i] = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(in[i])));
    }
};

}  // namespace
}  // namespace rote
