// knn/hopper_filter.cuh: the epilogue. Scores of a group against the limits of their rows; what passes is collected per
// warp and handed over a few dozen at a time, so that the latency of the atomics is paid rarely.
#pragma once

#include <cstdint>

#include "knn/cuda_pass.cuh"
#include "knn/hopper_schedule.h"

namespace rote::hopper {

constexpr unsigned kWholeWarp = 0xffffffffu;
constexpr int kRowTiles = kQueryRows / kMmaRows;
constexpr int kBatches = 4;                                      // of a row's scores in a thread, each with its maximum
constexpr int kBatchBlocks = kMmaColumns / 8 / kBatches;         // column blocks of eight
constexpr int kBatchScores = 2 * kBatchBlocks;

/// Hits of one warp, in shared memory.
class HitQueue {
  public:
    __device__ HitQueue(const PassOperands& pass, int32_t* storage) : pass_(pass), storage_(storage) {}

    /// Called by the whole warp; adds one hit per lane that has one.
    __device__ void push(bool has, int32_t row, int32_t position, float score) {
        const unsigned lanes = __ballot_sync(kWholeWarp, has);
        if (has) {
            const int place = size_ + __popc(lanes & ((1u << (threadIdx.x % kWarpThreads)) - 1u));
            storage_[place] = row;
            storage_[kQueueEntries + place] = position;
            storage_[2 * kQueueEntries + place] = __float_as_int(score);
        }
        size_ += __popc(lanes);
        if (size_ > kQueueEntries - kWarpThreads) flush();
    }

    __device__ void flush() {
        __syncwarp();
        for (int i = int(threadIdx.x) % kWarpThreads; i < size_; i += kWarpThreads)
            offer_candidate(pass_, storage_[i], storage_[kQueueEntries + i], __int_as_float(storage_[2 * kQueueEntries + i]));
        size_ = 0;
        __syncwarp();
    }

  private:
    const PassOperands& pass_;
    int32_t* storage_;
    int size_ = 0;
};

/// Element `i` of eight, in registers.
__device__ __forceinline__ float select(const float (&values)[kBatchScores], int i) {
    float value = values[0];
#pragma unroll
    for (int j = 1; j < kBatchScores; ++j) value = i == j ? values[j] : value;
    return value;
}

/// The 128 x 128 scores of a group: `accumulators` become scores. `biases` are those of the group's references,
/// `limits` those of the tile's rows, both in shared memory; `scales` belong to this thread's four rows; `first_row` and
/// `first_position` are global.
__device__ __forceinline__ void filter_scores(float (&accumulators)[kRowTiles][kAccumulators], const float* biases,
                                              const float* limits, const float (&scales)[kRowTiles][2],
                                              int32_t first_row, int32_t first_position, HitQueue& queue) {
    const int thread = int(threadIdx.x) % kGroupThreads;
    const ResultPlace place = accumulator_place(thread, 0);
    float limit[kRowTiles][2], best[kRowTiles][2][kBatches];
#pragma unroll
    for (int tile = 0; tile < kRowTiles; ++tile)
#pragma unroll
        for (int half = 0; half < 2; ++half) limit[tile][half] = limits[tile * kMmaRows + place.row + 8 * half];

#pragma unroll
    for (int batch = 0; batch < kBatches; ++batch)
#pragma unroll
        for (int block = 0; block < kBatchBlocks; ++block) {
            const int column_block = batch * kBatchBlocks + block;
            const float2 bias = *reinterpret_cast<const float2*>(biases + column_block * 8 + place.column);
#pragma unroll
            for (int tile = 0; tile < kRowTiles; ++tile)
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    float& first = accumulators[tile][accumulator_index(half, column_block, 0)];
                    float& second = accumulators[tile][accumulator_index(half, column_block, 1)];
                    first = packed_score(first, bias.x, scales[tile][half]);
                    second = packed_score(second, bias.y, scales[tile][half]);
                    const float larger = fmaxf(first, second);
                    float& most = best[tile][half][batch];
                    most = block == 0 ? larger : fmaxf(most, larger);
                }
        }

    bool hit = false;
#pragma unroll
    for (int tile = 0; tile < kRowTiles; ++tile)
#pragma unroll
        for (int half = 0; half < 2; ++half)
#pragma unroll
            for (int batch = 0; batch < kBatches; ++batch)
                hit = hit || best[tile][half][batch] >= limit[tile][half];
    if (!__any_sync(kWholeWarp, hit)) return;

    // Which batches of eight hold a hit, in any lane.
    unsigned batches = 0;
#pragma unroll
    for (int tile = 0; tile < kRowTiles; ++tile)
#pragma unroll
        for (int half = 0; half < 2; ++half)
#pragma unroll
            for (int batch = 0; batch < kBatches; ++batch)
                if (best[tile][half][batch] >= limit[tile][half]) batches |= 1u << ((tile * 2 + half) * kBatches + batch);
    batches = __reduce_or_sync(kWholeWarp, batches);
    while (batches != 0) {
        const int chosen = __ffs(int(batches)) - 1;
        batches &= batches - 1;
        float scores[kBatchScores], row_limit = 0;
#pragma unroll
        for (int candidate = 0; candidate < kRowTiles * 2 * kBatches; ++candidate)
            if (candidate == chosen) {  // registers cannot be indexed at run time: one copy per batch
                const int tile = candidate / (2 * kBatches), half = candidate / kBatches % 2, batch = candidate % kBatches;
                row_limit = limit[tile][half];
#pragma unroll
                for (int i = 0; i < kBatchScores; ++i)
                    scores[i] = accumulators[tile][accumulator_index(half, batch * kBatchBlocks + i / 2, i % 2)];
            }
        unsigned elements = 0;
#pragma unroll
        for (int i = 0; i < kBatchScores; ++i)
            if (scores[i] >= row_limit) elements |= 1u << i;
        const int row = first_row + chosen / (2 * kBatches) * kMmaRows + place.row + 8 * (chosen / kBatches % 2);
        const int position = first_position + chosen % kBatches * kBatchBlocks * 8 + place.column;
        while (__any_sync(kWholeWarp, elements != 0)) {
            const int i = elements != 0 ? __ffs(int(elements)) - 1 : 0;
            queue.push(elements != 0, row, position + i / 2 * 8 + i % 2, select(scores, i));
            elements &= elements - 1;
        }
    }
}

}  // namespace rote::hopper
