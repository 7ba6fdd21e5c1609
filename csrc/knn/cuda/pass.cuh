// knn/cuda/pass.cuh: what the matrix pass reads and writes. The passes (cuda_sm80.cu, cuda_sm90.cu) multiply packed
// rows and keep the pairs whose score reaches a limit; everything else (packing, thinning, reranking) is the same for
// both.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "knn/cuda/half_bound.h"
#include "knn/cuda/shapes.h"

namespace rote {

/// A pair that may be among the k nearest: the position of the reference in the packed order, and its packed score.
struct PassCandidate {
    int32_t position;
    float score;
};

/// One launch of the pass: all packed queries against the blocks [first_block, last_block). Nothing in here changes
/// while it runs, except `candidates` and `counts`.
struct PassOperands {
    // Packed rows: fp16, row-major (K-major for both operands), rows `depth` elements apart, 128-byte aligned.
    const uint16_t* queries;     // [query_tiles * kTileQueries, depth]; rows beyond the queries are zeros
    const uint16_t* references;  // [blocks * kBlockReferences, depth]; positions without a reference are zeros
    int64_t depth;               // a multiple of kDepthStep
    int32_t query_tiles;
    int32_t first_block, last_block;

    // Per query [query_tiles * kTileQueries].
    const QueryTerms* query_terms;
    const float* thresholds;  // placed units; inf for rows that take no part (padding, no query, overflowed)
    const float* bases;       // [row, frames]: the score of each frame's centre
    int32_t frames;

    // Per block, and per position.
    const BlockTerms* block_terms;  // [blocks]
    const float* biases;            // [blocks * kBlockReferences], 16-byte aligned; -inf: no admissible reference
    const int32_t* order;           // [blocks * kBlockReferences]: the reference at a position, -1 for none

    // Candidates. A row's count goes on counting when its buffer is full: the row has overflowed, and is answered
    // without the pass (cuda_thin.cu).
    PassCandidate* candidates;  // [row, capacity]
    int32_t* counts;            // [row]
    int32_t capacity;

    // Restrictions that depend on the query (mask and finiteness are in the biases). Row 0 is query `first_query`.
    int64_t first_query;
    const int64_t* exclude;       // null, or one reference per query
    const int64_t* query_groups;  // null, or both groups
    const int64_t* reference_groups;
};

/// For one row and all columns of one block: packed scores below it cannot matter. Compute it once per row and tile.
__device__ __forceinline__ float row_limit(const PassOperands& pass, int32_t row, int32_t block) {
    const BlockTerms terms = pass.block_terms[block];
    return packed_limit(pass.query_terms[row], terms, pass.bases[int64_t(row) * pass.frames + terms.frame],
                        pass.thresholds[row]);
}

/// The rare end of the epilogue: call it for every pair with packed_score(accumulator, biases[position],
/// query_terms[row].scale) >= row_limit(row, block). Any thread, any order, each pair once.
__device__ __forceinline__ void offer_candidate(const PassOperands& pass, int32_t row, int32_t position, float score) {
    if (pass.exclude || pass.query_groups) {
        const int64_t reference = pass.order[position], query = pass.first_query + row;
        if (pass.exclude && pass.exclude[query] == reference) return;
        if (pass.query_groups && pass.query_groups[query] == pass.reference_groups[reference]) return;
    }
    const int32_t slot = atomicAdd(pass.counts + row, 1);
    if (slot < pass.capacity) pass.candidates[int64_t(row) * pass.capacity + slot] = {position, score};
}

/// Launches on `stream`, no synchronization; grid from the shapes and the device's attributes alone. first_block <
/// last_block and query_tiles >= 1 hold. Errors of the launch are thrown as DeviceError.
void launch_pass_sm80(const PassOperands& pass, cudaStream_t stream);
void launch_pass_sm90(const PassOperands& pass, cudaStream_t stream);

/// Whether the current device and this build can run it; the reason otherwise, as a C string (null if it can).
const char* why_no_pass_sm90();

}  // namespace rote
