// knn/kernels_avx2.cpp: the inner loops for AVX2, FMA and F16C. Tile 6 x 16: 12 sums, 2 references, 1 query.
#if defined(ROTE_X86)
#include <immintrin.h>

#include "knn/kernel_templates.h"
#include "knn/kernels.h"

namespace rote {
namespace {

struct Vector8 {
    using F = __m256;
    static constexpr int kLanes = 8;
    static constexpr bool kFused = true;

    static ROTE_INLINE F load(const float* p) { return _mm256_loadu_ps(p); }
    static ROTE_INLINE void store(float* p, F v) { _mm256_storeu_ps(p, v); }
    static ROTE_INLINE F broadcast(float x) { return _mm256_set1_ps(x); }
    static ROTE_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    static ROTE_INLINE uint32_t not_below(F a, F b) {
        return uint32_t(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NLT_UQ)));
    }
    static ROTE_INLINE bool any_not_below(F a, F b) { return not_below(a, b) != 0; }
};

struct Avx2 {
    using Vector = Vector8;
    static constexpr int kQueryRows = 6, kPanelVectors = 2, kDoubleLanes = 4, kPrefetch = 16;

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
