// augment/cuda/fast_team.cuh: the threads that render a view together: a warp, which needs no barrier of its block, or
// a block.
#pragma once

#include "runtime/launch.cuh"

namespace rote {
namespace {

template <bool kWarpTeam>
struct Team;

template <>
struct Team<true> {
    int32_t rank;

    __device__ __forceinline__ explicit Team(int32_t) : rank(int32_t(threadIdx.x) % kWarpLanes) {}
    __device__ __forceinline__ int32_t size() const { return kWarpLanes; }
    __device__ __forceinline__ void sync() const { __syncwarp(); }

    /// The same on every thread; integers, so that order does not matter.
    __device__ __forceinline__ int64_t sum(int64_t value) const {
        for (int step = kWarpLanes / 2; step > 0; step /= 2)
            value += static_cast<int64_t>(__shfl_xor_sync(kWarp, static_cast<long long>(value), step));
        return value;
    }
};

template <>
struct Team<false> {
    int32_t rank, threads;

    __device__ __forceinline__ explicit Team(int32_t count) : rank(int32_t(threadIdx.x)), threads(count) {}
    __device__ __forceinline__ int32_t size() const { return threads; }
    __device__ __forceinline__ void sync() const { __syncthreads(); }

    __device__ __forceinline__ int64_t sum(int64_t value) const {
        __shared__ int64_t parts[32];
        value = Team<true>(0).sum(value);
        if (rank % kWarpLanes == 0) parts[rank / kWarpLanes] = value;
        __syncthreads();
        int64_t total = 0;
        for (int32_t warp = 0; warp < threads / kWarpLanes; ++warp) total += parts[warp];
        __syncthreads();
        return total;
    }
};

}  // namespace
}  // namespace rote
