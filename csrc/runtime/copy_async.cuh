// runtime/copy_async.cuh: asynchronous copies into shared memory, sm_80 and later. Without nvcc they come from the
// emulator of the tests.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace rote {

#if defined(__CUDACC__)

/// Starts copying 16 bytes into shared memory, past the first-level cache.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(uint32_t(__cvta_generic_to_shared(shared))),
                 "l"(global)
                 : "memory");
}

/// Closes the group of copies started since the last call.
__device__ __forceinline__ void commit_copies() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/// Waits until at most `Pending` of this thread's groups are under way.
template <int Pending>
__device__ __forceinline__ void wait_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

#endif

}  // namespace rote
