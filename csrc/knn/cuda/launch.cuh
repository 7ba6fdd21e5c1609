// knn/cuda/launch.cuh: sums and maxima over a warp.
#pragma once

#include "runtime/launch.cuh"

namespace rote {

__device__ __forceinline__ double warp_sum(double value) {
    for (int step = kWarpLanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(kWarp, value, step);
    return value;
}

__device__ __forceinline__ float warp_sum(float value) {
    for (int step = kWarpLanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(kWarp, value, step);
    return value;
}

__device__ __forceinline__ double warp_max(double value) {
    for (int step = kWarpLanes / 2; step > 0; step /= 2) {
        const double other = __shfl_xor_sync(kWarp, value, step);
        value = other > value ? other : value;
    }
    return value;
}

}  // namespace rote
