// knn/cpu/kernels_avx512.cpp: the inner loops for AVX-512 (F, BW, VL, DQ).
#if defined(ROTE_X86)
#include "knn/cpu/level_avx512.h"

namespace rote {

const KnnKernels& knn_kernels_avx512() {
    static const KnnKernels kernels = KernelTemplates<Avx512>::table("avx512");
    return kernels;
}

}  // namespace rote
#endif
