// knn/kernels_baseline.cpp: the inner loops for what the compiler targets by default (SSE2, NEON).
#include "knn/kernel_templates.h"
#include "knn/kernels.h"
#include "rote/dtype.h"

namespace rote {
namespace {

struct Baseline {
    using Vector = PortableVector<4>;
    static constexpr int kQueryRows = 4, kPanelVectors = 2, kDoubleLanes = 4, kPrefetch = 16;

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
