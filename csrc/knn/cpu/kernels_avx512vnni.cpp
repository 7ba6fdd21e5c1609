// knn/cpu/kernels_avx512vnni.cpp: the inner loops for AVX-512 with VNNI: one instruction multiplies and adds pairs of
// int16.
#if defined(ROTE_X86)
#include "knn/cpu/level_avx512.h"

namespace rote {

const KnnKernels& knn_kernels_avx512vnni() {
    static const KnnKernels kernels = KernelTemplates<Avx512>::table("avx512-vnni");
    return kernels;
}

}  // namespace rote
#endif
