// knn/cuda/rank.cuh: the candidates of one row by their float64 keys; one warp does a row.
#pragma once

#include "knn/cuda/certified.cuh"

namespace rote {

constexpr int kRankThreads = 128;
constexpr int kRankWarps = kRankThreads / kWarpLanes;
constexpr int kRankBlocks = 4;  // per multiprocessor: as many as the plan has room for, and no spilled registers

/// The warp's own room for `capacity` candidates, a power of two.
__device__ __forceinline__ RankedCandidate* ranked_of_warp(const HalfSearch& search, int32_t warp) {
    return search.ranked + int64_t(warp) * search.capacity;
}

/// Fills in the keys, four pairs at a time.
template <class T>
__device__ void compute_keys(const KnnProblem& problem, int64_t query, RankedCandidate* ranked, int32_t count) {
    const int lane = threadIdx.x % kKeyLanes, group = (threadIdx.x % kWarpLanes) / kKeyLanes;
    const T* const q = problem.queries.row<T>(query);
    constexpr int kGroups = kWarpLanes / kKeyLanes;
    for (int32_t base = 0; base < count; base += kGroups) {
        bool there = base + group < count;
        const int32_t index = there ? ranked[base + group].index : 0;
        const double key = group_key(problem, q, index, lane, there);
        if (lane == 0 && base + group < count) ranked[base + group].key = key;
    }
    __syncwarp();
}

/// Sorts by (key, index); the room up to the next power of two is overwritten.
__device__ __forceinline__ void sort_ranked(RankedCandidate* ranked, int32_t count) {
    const int lane = threadIdx.x % kWarpLanes;
    int32_t size = 1;
    while (size < count) size *= 2;
    for (int32_t i = count + lane; i < size; i += kWarpLanes) ranked[i] = {double(INFINITY), INT32_MAX, 0, 0};
    __syncwarp();
    for (int32_t width = 2; width <= size; width *= 2) {
        for (int32_t stride = width / 2; stride > 0; stride /= 2) {
            for (int32_t i = lane; i < size; i += kWarpLanes) {
                const int32_t partner = i ^ stride;
                if (partner <= i) continue;
                const RankedCandidate a = ranked[i], b = ranked[partner];
                const bool ascending = (i & width) == 0;
                if (comes_before(b.key, b.index, a.key, a.index) == ascending) {
                    ranked[i] = b;
                    ranked[partner] = a;
                }
            }
            __syncwarp();
        }
    }
}

}  // namespace rote
