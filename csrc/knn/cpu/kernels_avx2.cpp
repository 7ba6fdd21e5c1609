// knn/cpu/kernels_avx2.cpp: the inner loops for AVX2, FMA and F16C. Tile 6 x 16: 12 sums, 2 references, 1 query.
#if defined(ROTE_X86)
#include <immintrin.h>

#include "knn/cpu/kernel_templates.h"
#include "knn/cpu/kernels.h"

namespace rote {
namespace {

struct Vector8 {
    using F = __m256;
    static constexpr int kLanes = 8;
    static constexpr bool kFused = true;

    static ROTE_INLINE F load(const float* p) { return _mm256_loadu_ps(p); }
    static ROTE_INLINE void store(float* p, F v) { _mm256_storeu_ps(p, v); }
    static ROTE_INLINE F broadcast(float x) { return _mm256_set1_ps(x); }
    static ROTE_INLINE F smaller(F a, F b) { return _mm256_min_ps(a, b); }
    static ROTE_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    using Mask = __m256;
    static ROTE_INLINE Mask not_below(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_NLT_UQ); }
    static ROTE_INLINE Mask either(Mask a, Mask b) { return _mm256_or_ps(a, b); }
    static ROTE_INLINE uint32_t bits(Mask mask) { return uint32_t(_mm256_movemask_ps(mask)); }
};

struct Avx2 {
    using Vector = Vector8;
    static constexpr int kQueryRows = 6, kPanelVectors = 2, kDoubleLanes = 4, kPrefetch = 16;

    using Integers = __m256i;
    static constexpr int kInt16Rows = 6;
    static ROTE_INLINE __m256i load_pairs(const int16_t* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static ROTE_INLINE __m256i broadcast_pair(const int16_t* p) {
        return _mm256_castps_si256(_mm256_broadcast_ss(reinterpret_cast<const float*>(p)));
    }
    static ROTE_INLINE void add_products(__m256i& sum, __m256i a, __m256i b) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
    static ROTE_INLINE void multiply(const Int16Tile& tile, __m256i (&sum)[6][2]) { multiply_int16<Avx2>(tile, sum); }
    static ROTE_INLINE __m256 to_floats(__m256i v) { return _mm256_cvtepi32_ps(v); }

    static void half_to_float(const uint16_t* in, int64_t count, float* out) {
        int64_t i = 0;
        for (; i + 8 <= count; i += 8)
            _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
        for (; i < count; ++i) out[i] = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(in[i])));
    }
};

}  // namespace

const KnnKernels& knn_kernels_avx2() {
    static const KnnKernels kernels = KernelTemplates<Avx2>::table("avx2");
    return kernels;
}

}  // namespace rote
#endif
