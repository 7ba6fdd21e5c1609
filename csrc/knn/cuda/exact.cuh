// knn/cuda/exact.cuh: float64 keys on the device, eight lanes per pair, the bits of metric.h.
#pragma once

#include "knn/admissible.h"
#include "knn/cuda/launch.cuh"
#include "knn/metric.h"
#include "rote/knn.h"

namespace rote {

/// metric.h's tree over the eight lanes of a group; every lane ends with the sum.
__device__ __forceinline__ double join_group(double value) {
    value = value + __shfl_xor_sync(kWarp, value, 4);
    value = value + __shfl_xor_sync(kWarp, value, 2);
    return value + __shfl_xor_sync(kWarp, value, 1);
}

__device__ __forceinline__ bool all_of_group(bool value) {
    const unsigned votes = __ballot_sync(kWarp, value);
    const unsigned group = (threadIdx.x % kWarpLanes) / kKeyLanes;
    return ((votes >> (group * kKeyLanes)) & 0xffu) == 0xffu;
}

__device__ __forceinline__ void write_place(const KnnProblem& problem, int64_t at, double key, float distance,
                                            int64_t index) {
    if (problem.distances) problem.distances[at] = distance;
    if (problem.indices) problem.indices[at] = index;
    if (problem.keys) problem.keys[at] = key;
}

/// Place `at` of the outputs; `key` counts only where something was found.
__device__ __forceinline__ void write_neighbor(const KnnProblem& problem, int64_t at, bool found, double key,
                                               int64_t index) {
    write_place(problem, at, found ? key : double(INFINITY),
                found ? distance_from_key(problem.metric, key) : worst_distance(problem.metric), found ? index : -1);
}

/// Place `at` of a query that holds NaN or inf.
__device__ __forceinline__ void write_no_query(const KnnProblem& problem, int64_t at) {
    write_place(problem, at, double(NAN), float_from_bits(0x7fc00000u), -1);
}

template <class T>
__device__ __forceinline__ bool query_is_finite(const T* query, int64_t dim, int lane) {
    bool finite = true;
    for (int64_t i = lane; i < dim; i += kKeyLanes) finite = finite && is_finite(to_double(query[i]));
    return all_of_group(finite);
}

/// Every thread of the group gets the key; `admissible` also says whether the reference is finite. Groups without a
/// reference take part in the exchange alone.
template <class T>
__device__ __forceinline__ double group_key(const KnnProblem& problem, const T* query, int64_t reference, int lane,
                                            bool& admissible) {
    PairSums sums;
    bool finite = true;
    if (admissible) {
        const T* const row = problem.references.row<T>(reference);
        for (int64_t i = lane; i < problem.references.columns; i += kKeyLanes) {
            const double r = to_double(row[i]);
            finite = finite && is_finite(r);
            sums.add(problem.metric, to_double(query[i]), r);
        }
    }
    admissible = all_of_group(finite) && admissible;
    return key_from_sums(problem.metric, join_group(sums.sum), join_group(sums.query_squares),
                         join_group(sums.reference_squares));
}

/// The queries an exact scan answers: rows[0 .. *count) + first, read on the device; all queries where rows is null.
struct RowList {
    const int32_t* rows = nullptr;
    const int32_t* count = nullptr;
    int64_t first = 0;
    int64_t most = 0;  // upper bound of *count, for the grid
};

/// Every key of every listed query (cuda_simple.cu).
void launch_exact_scan(const KnnProblem& problem, const RowList& list, void* workspace, cudaStream_t stream);
int64_t exact_scan_bytes(int64_t most_rows, int64_t k);

}  // namespace rote
