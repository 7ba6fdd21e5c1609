// knn/cpu/kernels_baseline.cpp: the inner loops for what the compiler targets by default (SSE2, NEON).
#if defined(ROTE_X86)
#include <emmintrin.h>
#endif

#include "knn/cpu/kernel_templates.h"
#include "knn/cpu/kernels.h"
#include "rote/dtype.h"

namespace rote {
namespace {

struct Baseline : PortableIntegers<4> {
    using Vector = PortableVector<4>;
    static constexpr int kQueryRows = 4, kPanelVectors = 2, kDoubleLanes = 4, kPrefetch = 16, kInt16Rows = 4;
    static ROTE_INLINE void multiply(const Int16Tile& tile, Integers (&sum)[4][2]) {
        multiply_int16<Baseline>(tile, sum);
    }
#if defined(ROTE_X86)
    // SSE2 has the instruction, and every x86-64 has SSE2.
    static ROTE_INLINE void add_products(Integers& sum, Integers a, Integers b) {
        sum += Integers(_mm_madd_epi16(__m128i(a), __m128i(b)));
    }
#endif

    static void half_to_float(const uint16_t* in, int64_t count, float* out) {
        for (int64_t i = 0; i < count; ++i) out[i] = to_float(Half{in[i]});
    }
};

}  // namespace

const KnnKernels& knn_kernels_baseline() {
    static const KnnKernels kernels = KernelTemplates<Baseline>::table("baseline");
    return kernels;
}

}  // namespace rote
