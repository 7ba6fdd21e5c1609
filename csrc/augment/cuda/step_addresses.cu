// augment/cuda/step_addresses.cu: the addresses of training steps, from a step number in device memory.
#include <cuda_runtime.h>

#include "augment/cuda/device_scope.h"
#include "random/step.h"
#include "rote/error.h"

namespace rote {
namespace {

constexpr int kAddressThreads = 256;

__global__ void __launch_bounds__(kAddressThreads)
    step_addresses_kernel(const StepOrder order, const int64_t* __restrict__ step, int64_t count,
                          int64_t* __restrict__ ids, int64_t* __restrict__ views) {
    const int64_t j = int64_t(blockIdx.x) * kAddressThreads + threadIdx.x;
    if (j >= count) return;
    const int64_t k = j / order.batch_size, first = *step;
    // Without overflow: a step beyond every epoch stays one.
    const int64_t own = first > INT64_MAX - k ? INT64_MAX : first + k;
    const SampleAddress sample = sample_of_step(order, own, j - k * order.batch_size);
    ids[j] = sample.id;
    views[j] = sample.view;
}

}  // namespace

void step_addresses_cuda(const StepOrder& order, const int64_t* step, int64_t steps, int64_t* ids, int64_t* views,
                         void* stream, int device) {
    check_step_order(order, steps);
    const DeviceScope scope(device);
    const int64_t count = steps * order.batch_size;
    const int64_t blocks = (count + kAddressThreads - 1) / kAddressThreads;
    step_addresses_kernel<<<unsigned(blocks), kAddressThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        order, step, count, ids, views);
    ROTE_CUDA_CHECK(cudaGetLastError());
}

}  // namespace rote
