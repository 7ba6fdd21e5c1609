// knn/cuda/hopper_tma.cuh: copies by Hopper's tensor memory accelerator, from global memory into shared memory.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)  // otherwise csrc/tests/emulation/hopper.h stands in

#include <cuda.h>

namespace rote::hopper {

__device__ __forceinline__ void prefetch_map(const CUtensorMap* map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// The map's box at (column, row), swizzled as the map says, counted by `barrier`. Outside the tensor: zeros.
__device__ __forceinline__ void copy_box(uint32_t destination, const CUtensorMap* map, int column, int row,
                                         uint32_t barrier) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
        "[%4];" ::"r"(destination),
        "l"(map), "r"(column), "r"(row), "r"(barrier)
        : "memory");
}

/// The same into the same place of every block of the cluster named in `blocks`; each block's barrier counts it.
__device__ __forceinline__ void copy_box_to_blocks(uint32_t destination, const CUtensorMap* map, int column, int row,
                                                   uint32_t barrier, uint16_t blocks) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
        "[%0], [%1, {%2, %3}], [%4], %5;" ::"r"(destination),
        "l"(map), "r"(column), "r"(row), "r"(barrier), "h"(blocks)
        : "memory");
}

/// `bytes` (a multiple of 16) as they lie.
__device__ __forceinline__ void copy_bytes(uint32_t destination, const void* source, uint32_t bytes, uint32_t barrier) {
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(destination),
        "l"(source), "r"(bytes), "r"(barrier)
        : "memory");
}

}  // namespace rote::hopper

#endif
