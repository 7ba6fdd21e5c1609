// knn/cuda/hopper_filter.h: the epilogue: scores of a group against the limits of their rows.
#pragma once

#include <cmath>
#include <cstdint>

#include "knn/cuda/half_bound.h"
#include "knn/cuda/hopper_hits.h"

namespace rote::hopper {

// Scores are looked at in batches of eight of one row slot.
constexpr int kBatchBlocks = 4, kBatchScores = 2 * kBatchBlocks;
constexpr int kBatches = 128 / kBatchScores;

/// Row of a slot, from the row of the thread's first accumulator on.
ROTE_HD constexpr int slot_row(int slot) {
    return slot / 2 * kMmaRows + slot % 2 * 8;
}

/// Of bits that are not all zero.
ROTE_HD int lowest_bit(uint32_t bits) {
#if defined(__CUDA_ARCH__)
    return __ffs(int(bits)) - 1;
#else
    return __builtin_ctz(bits);
#endif
}

struct Batch {
    float limit, scores[kBatchScores];
};

/// Batch `chosen` of [kFirst, kFirst + kCount). Registers cannot be indexed at run time, so this is a tree of branches;
/// the empty assembly keeps the compiler from selecting among all batches instead.
template <class Shape, int kFirst, int kCount>
ROTE_HD Batch copy_batch(int chosen, const typename Shape::Sums& scores, const float (&limits)[Shape::kRowSlots]) {
    constexpr int kRowBatches = Shape::kColumnBlocks / kBatchBlocks;
    if constexpr (kCount > 1) {
        if (chosen < kFirst + kCount / 2) return copy_batch<Shape, kFirst, kCount / 2>(chosen, scores, limits);
        return copy_batch<Shape, kFirst + kCount / 2, kCount / 2>(chosen, scores, limits);
    } else {
#if defined(__CUDA_ARCH__)
        asm volatile("");
#endif
        constexpr int kSlot = kFirst / kRowBatches, kBlock = kFirst % kRowBatches * kBatchBlocks;
        Batch batch;
        batch.limit = limits[kSlot];
        ROTE_UNROLL
        for (int i = 0; i < kBatchScores; ++i)
            batch.scores[i] = scores[kSlot / 2][accumulator_index(kSlot % 2, kBlock + i / 2, i % 2)];
        return batch;
    }
}

/// Sends what reaches its limit in the batches named by `batches` to the queue. Called by whole warps.
template <class Shape, class Queue>
ROTE_HD void collect_hits(uint32_t batches, const typename Shape::Sums& scores, const float (&limits)[Shape::kRowSlots],
                          int first_row, int first_position, Queue& queue) {
    constexpr int kRowBatches = Shape::kColumnBlocks / kBatchBlocks;
    for (; batches != 0; batches &= batches - 1) {
        const int chosen = lowest_bit(batches);
        const Batch batch = copy_batch<Shape, 0, kBatches>(chosen, scores, limits);
        const int row = first_row + slot_row(chosen / kRowBatches);
        const int position = first_position + chosen % kRowBatches * kBatchBlocks * 8;
        uint32_t lanes[kBatchScores];
        int hits = 0;
        ROTE_UNROLL
        for (int i = 0; i < kBatchScores; ++i) {
            lanes[i] = queue.warp().ballot(batch.scores[i] >= batch.limit);
            hits += bit_count(lanes[i]);
        }
        if (hits > kManyHits) {
            queue.hand_over(batch.limit, row, position, batch.scores);
            continue;
        }
        ROTE_UNROLL
        for (int i = 0; i < kBatchScores; ++i)
            if (lanes[i] != 0)
                queue.push(lanes[i], batch.scores[i] >= batch.limit, row, position + i / 2 * 8 + i % 2,
                           batch.scores[i]);
        queue.make_room();
    }
}

/// The products of a group, of which `thread` holds its fragments, become scores. `biases` are those of the group's
/// references, `limits` those of its rows, `scales` those of this thread's row slots; `first_row` and `first_position`
/// are those of the group's first row and reference within the work item.
template <class Shape, class Queue>
ROTE_HD void filter_scores(int thread, typename Shape::Sums& sums, const float* biases, const float* limits,
                           const float (&scales)[Shape::kRowSlots], int first_row, int first_position, Queue& queue) {
    constexpr int kRowBatches = Shape::kColumnBlocks / kBatchBlocks;
    struct alignas(8) Pair {
        float first, second;
    };
    const ResultPlace place = accumulator_place(thread, 0);
    float limit[Shape::kRowSlots], best[kBatches];
    ROTE_UNROLL
    for (int slot = 0; slot < Shape::kRowSlots; ++slot) limit[slot] = limits[place.row + slot_row(slot)];

    ROTE_UNROLL
    for (int block = 0; block < Shape::kColumnBlocks; ++block) {
        const Pair bias = *reinterpret_cast<const Pair*>(biases + block * 8 + place.column);
        ROTE_UNROLL
        for (int slot = 0; slot < Shape::kRowSlots; ++slot) {
            float& first = sums[slot / 2][accumulator_index(slot % 2, block, 0)];
            float& second = sums[slot / 2][accumulator_index(slot % 2, block, 1)];
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
    collect_hits<Shape>(queue.warp().any_bits(batches), sums, limit, first_row + place.row,
                        first_position + place.column, queue);
}

}  // namespace rote::hopper
