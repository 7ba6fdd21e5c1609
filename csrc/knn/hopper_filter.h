// knn/hopper_filter.h: the epilogue. Scores of a group against the limits of their rows; what passes is collected per
// warp and handed over a few dozen at a time, so that the latency of the atomics is paid rarely.
//
// `Warp` is the 32 threads that call together: lane(), any(bool), any_bits(mask), ballot(bool), sync(). `Sink` takes
// the hits: offer(row, position, score). On the device both are in cuda_sm90.cu, in
// csrc/tests/test_knn_hopper_filter.cpp lanes are threads.
#pragma once

#include <cstdint>

#include "knn/half_bound.h"
#include "knn/hopper_schedule.h"

namespace rote::hopper {

constexpr int kRowTiles = kQueryRows / kMmaRows;
constexpr int kBatches = 4;                               // of a row's scores in a thread, each with its own maximum
constexpr int kBatchBlocks = kMmaColumns / 8 / kBatches;  // column blocks of eight, of which a thread holds two columns
constexpr int kBatchScores = 2 * kBatchBlocks;

ROTE_HD int bit_count(uint32_t bits) {
#if defined(__CUDA_ARCH__)
    return __popc(bits);
#else
    return __builtin_popcount(bits);
#endif
}

/// Of bits that are not all zero.
ROTE_HD int lowest_bit(uint32_t bits) {
#if defined(__CUDA_ARCH__)
    return __ffs(int(bits)) - 1;
#else
    return __builtin_ctz(bits);
#endif
}

/// Hits of one warp: kQueueBytes of shared memory, and the number of entries in every lane.
template <class Warp, class Sink>
class HitQueue {
  public:
    ROTE_HD HitQueue(Warp warp, Sink sink, int32_t* storage) : warp_(warp), sink_(sink), storage_(storage) {}

    ROTE_HD Warp& warp() { return warp_; }

    /// Called by the whole warp; adds one hit per lane that has one.
    ROTE_HD void push(bool has, int32_t row, int32_t position, float score) {
        const uint32_t lanes = warp_.ballot(has);
        if (has) {
            const int place = size_ + bit_count(lanes & ((1u << warp_.lane()) - 1u));
            storage_[place] = row;
            storage_[kQueueEntries + place] = position;
            scores()[place] = score;
        }
        size_ += bit_count(lanes);
        if (size_ > kQueueEntries - kWarpThreads) flush();
    }

    ROTE_HD void flush() {
        warp_.sync();
        for (int i = warp_.lane(); i < size_; i += kWarpThreads)
            sink_.offer(storage_[i], storage_[kQueueEntries + i], scores()[i]);
        size_ = 0;
        warp_.sync();
    }

  private:
    ROTE_HD float* scores() { return reinterpret_cast<float*>(storage_ + 2 * kQueueEntries); }

    Warp warp_;
    Sink sink_;
    int32_t* storage_;
    int size_ = 0;
};

/// Element `i` of eight, in registers.
ROTE_HD float select(const float (&values)[kBatchScores], int i) {
    float value = values[0];
    ROTE_UNROLL
    for (int j = 1; j < kBatchScores; ++j) value = i == j ? values[j] : value;
    return value;
}

/// The 128 x 128 scores of a group, of which `thread` holds two fragments: `accumulators` become scores. `biases` are
/// those of the group's references, `limits` those of the tile's rows; `scales` belong to this thread's four rows;
/// `first_row` and `first_position` are global.
template <class Queue>
ROTE_HD void filter_scores(int thread, float (&accumulators)[kRowTiles][kAccumulators], const float* biases,
                           const float* limits, const float (&scales)[kRowTiles][2], int32_t first_row,
                           int32_t first_position, Queue& queue) {
    const ResultPlace place = accumulator_place(thread, 0);
    float limit[kRowTiles][2], best[kRowTiles][2][kBatches];
    ROTE_UNROLL
    for (int tile = 0; tile < kRowTiles; ++tile) ROTE_UNROLL
    for (int half = 0; half < 2; ++half) limit[tile][half] = limits[tile * kMmaRows + place.row + 8 * half];

    ROTE_UNROLL
    for (int batch = 0; batch < kBatches; ++batch) ROTE_UNROLL
    for (int block = 0; block < kBatchBlocks; ++block) {
        const int column_block = batch * kBatchBlocks + block;
        struct alignas(8) Pair {
            float first, second;
        };
        const Pair bias = *reinterpret_cast<const Pair*>(biases + column_block * 8 + place.column);
        ROTE_UNROLL
        for (int tile = 0; tile < kRowTiles; ++tile) ROTE_UNROLL
        for (int half = 0; half < 2; ++half) {
            float& first = accumulators[tile][accumulator_index(half, column_block, 0)];
            float& second = accumulators[tile][accumulator_index(half, column_block, 1)];
            first = packed_score(first, bias.first, scales[tile][half]);
            second = packed_score(second, bias.second, scales[tile][half]);
            const float larger = fmaxf(first, second);
            float& most = best[tile][half][batch];
            most = block == 0 ? larger : fmaxf(most, larger);
        }
    }

    bool hit = false;
    ROTE_UNROLL
    for (int tile = 0; tile < kRowTiles; ++tile) ROTE_UNROLL
    for (int half = 0; half < 2; ++half) ROTE_UNROLL
    for (int batch = 0; batch < kBatches; ++batch) hit = hit || best[tile][half][batch] >= limit[tile][half];
    if (!queue.warp().any(hit)) return;

    // Which batches of eight hold a hit, in any lane.
    uint32_t batches = 0;
    ROTE_UNROLL
    for (int i = 0; i < kRowTiles * 2 * kBatches; ++i) {
        const int tile = i / (2 * kBatches), half = i / kBatches % 2;
        if (best[tile][half][i % kBatches] >= limit[tile][half]) batches |= 1u << i;
    }
    batches = queue.warp().any_bits(batches);
    while (batches != 0) {
        const int chosen = lowest_bit(batches);
        batches &= batches - 1;
        float scores[kBatchScores], row_limit = 0;
        ROTE_UNROLL
        for (int i = 0; i < kRowTiles * 2 * kBatches; ++i)
            if (i == chosen) {  // registers cannot be indexed at run time: a copy for each batch
                const int tile = i / (2 * kBatches), half = i / kBatches % 2, first_block = i % kBatches * kBatchBlocks;
                row_limit = limit[tile][half];
                ROTE_UNROLL
                for (int j = 0; j < kBatchScores; ++j)
                    scores[j] = accumulators[tile][accumulator_index(half, first_block + j / 2, j % 2)];
            }
        uint32_t elements = 0;
        ROTE_UNROLL
        for (int j = 0; j < kBatchScores; ++j)
            if (scores[j] >= row_limit) elements |= 1u << j;
        const int row = first_row + chosen / (2 * kBatches) * kMmaRows + place.row + 8 * (chosen / kBatches % 2);
        const int position = first_position + chosen % kBatches * kBatchBlocks * 8 + place.column;
        while (queue.warp().any(elements != 0)) {
            const int j = elements != 0 ? lowest_bit(elements) : 0;
            queue.push(elements != 0, row, position + j / 2 * 8 + j % 2, select(scores, j));
            elements &= elements - 1;
        }
    }
}

}  // namespace rote::hopper
