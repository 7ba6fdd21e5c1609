// augment/cuda/sample.cu: parameter rows on the device, a thread per view.
#include "augment/cuda/device_scope.h"
#include "augment/cuda/job.h"
#include "augment/sampling/draw.h"
#include "runtime/launch.cuh"

namespace rote {
namespace {

constexpr int kSampleThreads = 256;
constexpr int64_t kMaxSampleBlocks = int64_t(1) << 20;

__global__ void __launch_bounds__(kSampleThreads)
    sample_kernel(const __grid_constant__ AugmentPlan plan, AugmentBatch batch, int32_t* rows) {
    for (int64_t view = int64_t(blockIdx.x) * kSampleThreads + threadIdx.x; view < batch.count;
         view += int64_t(gridDim.x) * kSampleThreads) {
        int32_t* const row = rows + view * plan.row_words;
        if (address_is_good(batch, view)) {
            draw_row(plan, batch.seed, uint64_t(batch.address_id(view)), uint64_t(batch.views[view]), row);
        } else {
            for (int32_t w = 0; w < plan.row_words; ++w) row[w] = -1;
        }
    }
}

}  // namespace

void augment_sample_cuda(const AugmentProgram& program, const AugmentBatch& batch, int32_t* rows, void* stream,
                         int device) {
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    if (batch.count == 0 || program.row_words() == 0) return;
    const DeviceScope scope(device);
    const int64_t blocks = (batch.count + kSampleThreads - 1) / kSampleThreads;
    launch(sample_kernel, blocks < kMaxSampleBlocks ? blocks : kMaxSampleBlocks, kSampleThreads, 0,
           static_cast<cudaStream_t>(stream), program.plan(), batch, rows);
}

}  // namespace rote
