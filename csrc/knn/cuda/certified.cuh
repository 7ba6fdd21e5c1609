// knn/cuda/certified.cuh: the certified search on CUDA: its workspace, and the launches around the matrix pass.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "knn/cuda/exact.cuh"
#include "knn/cuda/half_pack.h"
#include "knn/cuda/half_plan.h"
#include "knn/cuda/pass.cuh"
#include "knn/cuda/paths.h"
#include "rote/knn.h"

namespace rote {

// References that no bound holds are candidates of every query; more of them, and every query is scanned exactly.
constexpr int kMostUnbounded = 64;
// Sort keys of references: frame, then length in powers of two; the last bin takes those without a bound.
constexpr int kLengthBins = 64;
constexpr int kSortBins = kMostFrames * kLengthBins + 1;
constexpr int kNoBin = kSortBins - 1;
constexpr int kRowThreads = 256;  // where a warp takes a row
constexpr int kRowWarps = kRowThreads / kWarpLanes;
constexpr int kRowBlocks = 3;  // per multiprocessor at least; leaves registers enough that nothing spills

/// A candidate with its key, on its way to the result.
struct RankedCandidate {
    double key;
    int32_t index, position;
    float score;
};

/// Counters in KnnDeviceStats' order (rote/knn.h); null where nobody asked.
using DeviceCounter = unsigned long long;

/// Everything the kernels share: device pointers into the workspace, and the numbers of the plan.
struct HalfSearch {
    // The frame, chosen from a sample.
    double* centre;      // [dim]
    Placing* placing;    // [1]
    float* frames;       // [frames, dim], placed
    float* frame_norms;  // [frames]
    // References.
    int32_t* sort_keys;  // [references]
    double* factors;     // [references], 1 / |row| for cosine
    int32_t* bins;       // [kSortBins], counts, then places
    int32_t* order;      // [positions]
    uint16_t* packed_references;
    float* biases;       // [positions]
    BlockTerms* blocks;  // [blocks]
    int32_t* unbounded;  // [kMostUnbounded]
    int32_t* unbounded_count;
    // One chunk of queries.
    uint16_t* packed_queries;
    QueryTerms* query_terms;  // [chunk_rows], as all below
    KeyScale* key_scales;
    float* thresholds;  // inf: the row is answered elsewhere
    float* bases;       // [chunk_rows, frames]
    int32_t* counts;
    PassCandidate* candidates;  // [chunk_rows, capacity]
    int32_t* exact_rows;        // [chunk_rows] rows left to the exact scan
    int32_t* exact_count;
    // One buffer per warp of thinning and reranking, [rank_warps, capacity].
    RankedCandidate* ranked;
    void* exact_workspace;
    DeviceCounter* stats;

    int64_t first_query;
    int32_t rows;         // queries of this chunk
    int32_t padded_rows;  // a multiple of kTileQueries
    int32_t frame_count, capacity, rank_warps;
    int32_t block_count, mixed_blocks, mixed_rows;
    int64_t depth, multiplier, stride;
};

/// What a slice ends with: candidates that its bounds rule out leave; where more than `exact_above` stay, keys decide.
void launch_choose_frame(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream);
void launch_pack_references(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream);
void launch_pack_queries(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream);
void launch_thin(const KnnProblem& problem, const HalfSearch& search, int32_t exact_above, cudaStream_t stream);
void launch_rerank(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream);

int64_t certified_search_bytes(const HalfPlan& plan);
/// `plan` is that of the problem's shapes; it lays out the workspace and orders the launches.
void certified_search(const KnnProblem& problem, const HalfPlan& plan, void* workspace, int64_t* stats,
                      cudaStream_t stream, PassLaunch pass);

__device__ __forceinline__ void count_stat(const HalfSearch& search, KnnDeviceStat stat, int64_t amount) {
    if (search.stats && amount) atomicAdd(search.stats + int(stat), DeviceCounter(amount));
}

/// Called by one lane: the row is answered by the exact scan, and by nothing else.
__device__ __forceinline__ void leave_to_exact_scan(const HalfSearch& search, int32_t row) {
    search.thresholds[row] = INFINITY;
    search.exact_rows[atomicAdd(search.exact_count, 1)] = row;
    count_stat(search, KnnDeviceStat::rows_float64, 1);
}

}  // namespace rote
