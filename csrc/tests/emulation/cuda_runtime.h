// tests/emulation/cuda_runtime.h: enough of CUDA to run the kernels on the CPU: its words, types and functions, over
// the threads of machine.h and the instructions of sm80.h.
#pragma once

#include <cstdint>
#include <cstring>

#include "emulation/machine.h"
#include "emulation/sm80.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __shared__ static
#define __grid_constant__

struct float2 {
    float x, y;
};
using cudaStream_t = void*;
using cudaError_t = int;
constexpr cudaError_t cudaSuccess = 0;
enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin, cudaDevAttrMultiProcessorCount };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };

namespace emulation {

struct ThreadIndex {
    unsigned x;
};

}  // namespace emulation

#define threadIdx (emulation::ThreadIndex{emulation::machine().current->thread})
#define blockIdx (emulation::machine().block)
#define gridDim (emulation::machine().grid)

inline void __syncthreads() {
    emulation::block_barrier();
}
inline void __syncwarp() {
    emulation::exchange(0, "syncwarp");
}

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
    const auto slots = emulation::exchange(value, "shfl");
    return emulation::lane_value<T>(slots, int(threadIdx.x % 32) ^ mask);
}

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
    return emulation::lane_value<T>(emulation::exchange(value, "shfl"), lane);
}
template <class T>
T __shfl_down_sync(unsigned, T value, int offset) {
    const auto slots = emulation::exchange(value, "shfl");
    const int lane = int(threadIdx.x % 32);
    return emulation::lane_value<T>(slots, lane + offset < 32 ? lane + offset : lane);
}

inline unsigned __ballot_sync(unsigned, bool value) {
    const auto slots = emulation::exchange(value, "ballot");
    unsigned votes = 0;
    for (int lane = 0; lane < 32; ++lane) votes |= unsigned(emulation::lane_value<bool>(slots, lane)) << lane;
    return votes;
}
inline bool __all_sync(unsigned mask, bool value) {
    return __ballot_sync(mask, value) == 0xffffffffu;
}
inline unsigned __reduce_add_sync(unsigned, unsigned value) {
    const auto slots = emulation::exchange(value, "reduce");
    unsigned sum = 0;
    for (int lane = 0; lane < 32; ++lane) sum += emulation::lane_value<unsigned>(slots, lane);
    return sum;
}
inline int __popc(unsigned value) {
    return __builtin_popcount(value);
}
inline int __ffsll(long long value) {
    return __builtin_ffsll(value);
}

template <class T>
T atomicAdd(T* address, T value) {
    const T before = *address;
    *address += value;
    return before;
}

template <class T>
T atomicExch(T* address, T value) {
    const T before = *address;
    *address = value;
    return before;
}

inline cudaError_t cudaGetLastError() {
    return cudaSuccess;
}
inline const char* cudaGetErrorName(cudaError_t) {
    return "";
}
inline const char* cudaGetErrorString(cudaError_t) {
    return "";
}
inline cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t) {
    std::memset(to, value, bytes);
    return cudaSuccess;
}
inline cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int) {
    return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    *value = attribute == cudaDevAttrMultiProcessorCount ? emulation::machine().processors
                                                         : emulation::machine().shared_limit;
    return cudaSuccess;
}
template <class Kernel>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Kernel, int, size_t) {
    *blocks = 1;
    return cudaSuccess;
}
template <class Kernel>
cudaError_t cudaFuncSetAttribute(Kernel, cudaFuncAttribute, int bytes) {
    return bytes <= emulation::machine().shared_limit ? cudaSuccess : 1;
}

namespace rote {

template <class... Parameters, class... Arguments>
void launch_grid(void (*kernel)(Parameters...), int64_t columns, int64_t rows, int threads, size_t shared_bytes,
                 cudaStream_t, const Arguments&... arguments) {
    emulation::run_grid(kernel, {unsigned(columns), unsigned(rows), 1}, unsigned(threads), shared_bytes, arguments...);
}

inline uint8_t* dynamic_shared() {
    return reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(emulation::machine().shared.data()) + 15) / 16 * 16);
}

}  // namespace rote
