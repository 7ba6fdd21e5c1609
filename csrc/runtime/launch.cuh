// runtime/launch.cuh: launching a kernel, and its dynamic shared memory. Without nvcc both come from the emulator of
// the tests (csrc/tests/emulation), which runs the same kernels on the CPU.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "rote/error.h"

namespace rote {

constexpr unsigned kWarp = 0xffffffffu;  // all lanes
constexpr int kWarpLanes = 32;

#if defined(__CUDACC__)

/// A grid of columns x rows blocks.
template <class... Parameters, class... Arguments>
void launch_grid(void (*kernel)(Parameters...), int64_t columns, int64_t rows, int threads, size_t shared_bytes,
                 cudaStream_t stream, const Arguments&... arguments) {
    kernel<<<dim3(unsigned(columns), unsigned(rows)), unsigned(threads), shared_bytes, stream>>>(arguments...);
    ROTE_CUDA_CHECK(cudaGetLastError());
}

extern __shared__ __align__(128) uint8_t rote_dynamic_shared[];

__device__ __forceinline__ uint8_t* dynamic_shared() {
    return rote_dynamic_shared;
}

#endif

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), int64_t blocks, int threads, size_t shared_bytes, cudaStream_t stream,
            const Arguments&... arguments) {
    launch_grid(kernel, blocks, 1, threads, shared_bytes, stream, arguments...);
}

}  // namespace rote
