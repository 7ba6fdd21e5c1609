// knn/hopper_filter.h: the epilogue: scores of a group against the limits of their rows.
#pragma once

#include <cmath>
#include <cstdint>

#include "knn/half_bound.h"
#include "knn/hopper_hits.h"

namespace rote::hopper {

// A thread holds two rows of each of two products of 64 rows: four row slots, 32 columns of each.
constexpr int kRowTiles = kQueryRows / kMmaRows;
constexpr int kRowSlots = 2 * kRowTiles;
constexpr int kColumnBlocks = kMmaColumns / 8;  // of which a thread holds two columns
// Scores are looked at in batches of eight of one row slot.
constexpr int kBatchBlocks = 4, kBatchScores = 2 * kBatchBlocks;
constexpr int kRowBatches = kColumnBlocks / kBatchBlocks, kBatches = kRowSlots * kRowBatches;
constexpr int kManyHits = 64;  // of a batch of the warp: too many for the queue

/// Row of a slot, from the row of the thread's first accumulator on.
ROTE_HD constexpr int slot_row(int slot) {
    return slot / 2 * kMmaRows + slot % 2 * 8;
}

/// Element `i` of eight, in registers.
ROTE_HD float select(const float (&values)[kBatchScores], int i) {
    float value = values[0];
    ROTE_UNROLL
    for (int j = 1; j < kBatchScores; ++j) value = i == j ? values[j] : value;
    return value;
}

/// Sends what reaches its limit in the batches named by `batches` to the queue. Called by whole warps.
template <class Queue>
ROTE_HD void collect_hits(uint32_t batches, const float (&scores)[kRowTiles][kAccumulators],
                          const float (&limits)[kRowSlots], const ResultPlace& place, int first_position,
                          Queue& queue) {
    while (batches != 0) {
        const int chosen = lowest_bit(batches);
        batches &= batches - 1;
        float batch[kBatchScores], limit = 0;
        ROTE_UNROLL
        for (int i = 0; i < kBatches; ++i)
            if (i == chosen) {  // registers cannot be indexed at run time: a copy for each batch
                const int slot = i / kRowBatches, first_block = i % kRowBatches * kBatchBlocks;
                limit = limits[slot];
                ROTE_UNROLL
                for (int j = 0; j < kBatchScores; ++j)
                    batch[j] = scores[slot / 2][accumulator_index(slot % 2, first_block + j / 2, j % 2)];
            }
        uint32_t elements = 0;
        ROTE_UNROLL
        for (int j = 0; j < kBatchScores; ++j)
            if (batch[j] >= limit) elements |= 1u << j;
        const int row = place.row + slot_row(chosen / kRowBatches);
        const int position = first_position + chosen % kRowBatches * kBatchBlocks * 8 + place.column;
        if (queue.warp().sum(bit_count(elements)) > kManyHits) {
            queue.hand_over(elements, row, position, batch);
            continue;
        }
        while (queue.warp().any(elements != 0)) {
            const int j = elements != 0 ? lowest_bit(elements) : 0;
            queue.push(elements != 0, row, position + j / 2 * 8 + j % 2, select(batch, j));
            elements &= elements - 1;
        }
    }
}

/// The 128 x 128 products of a group, of which `thread` holds two fragments, become scores. `biases` are those of the
/// group's references, `limits` those of the tile's rows, `scales` those of this thread's row slots; `first_position`
/// is that of the first reference within the work item.
template <class Queue>
ROTE_HD void filter_scores(int thread, float (&accumulators)[kRowTiles][kAccumulators], const float* biases,
                           const float* limits, const float (&scales)[kRowSlots], int first_position, Queue& queue) {
    struct alignas(8) Pair {
        float first, second;
    };
    const ResultPlace place = accumulator_place(thread, 0);
    float limit[kRowSlots], best[kBatches];
    ROTE_UNROLL
    for (int slot = 0; slot < kRowSlots; ++slot) limit[slot] = limits[place.row + slot_row(slot)];

    ROTE_UNROLL
    for (int block = 0; block < kColumnBlocks; ++block) {
        const Pair bias = *reinterpret_cast<const Pair*>(biases + block * 8 + place.column);
        ROTE_UNROLL
        for (int slot = 0; slot < kRowSlots; ++slot) {
            float& first = accumulators[slot / 2][accumulator_index(slot % 2, block, 0)];
            float& second = accumulators[slot / 2][accumulator_index(slot % 2, block, 1)];
            first = packed_score(first, bias.first, scales[slot]);
            second = packed_score(second, bias.second, scales[slot]);
            const float larger = fmaxf(first, second);
            float& most = best[slot * kRowBatches + block / kBatchBlocks];
            most = block % kBatchBlocks == 0 ? larger : fmaxf(most, larger);
        }
    }

    bool hit = false;
    ROTE_UNROLL
    for (int i = 0; i < kBatches; ++i) hit = hit || best[i] >= limit[i / kRowBatches];
    if (!queue.warp().any(hit)) return;

    uint32_t batches = 0;
    ROTE_UNROLL
    for (int i = 0; i < kBatches; ++i)
        if (best[i] >= limit[i / kRowBatches]) batches |= 1u << i;
    collect_hits(queue.warp().any_bits(batches), accumulators, limit, place, first_position, queue);
}

}  // namespace rote::hopper
