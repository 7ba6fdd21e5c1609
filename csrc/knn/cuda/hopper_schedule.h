// knn/cuda/hopper_schedule.h: which cluster works on which tiles, and what lies where in shared memory; host and
// device.
#pragma once

#include <cstdint>

#include "knn/cuda/hopper_layout.h"

namespace rote::hopper {

constexpr int kConsumerGroups = 2;
constexpr int kConsumerWarps = kConsumerGroups * kGroupWarps;
constexpr int kThreads = (1 + kConsumerGroups) * kGroupThreads;  // the first group copies and computes limits
constexpr int kLimitWarps = kGroupWarps - 1;
constexpr int kMaxStationaryChunks = 8;  // queries stay in shared memory up to d = 512

constexpr int kQueryRows = 2 * kMmaRows;  // queries of a tile
constexpr int kHalfColumns = 128;
constexpr int kBlockColumns = 2 * kHalfColumns;  // references of a block

/// A range of blocks of references for as many query tiles as the cluster has blocks of threads.
struct WorkItem {
    int tile_group, first_block, last_block;
};

/// Items in the order in which clusters take them: all queries of a range of references before the next range, so that
/// the clusters running at one time read the same references. blocks * splits stays below 2^31: there are at most 2^23
/// blocks, and at most as many splits as clusters.
struct Schedule {
    int tile_groups, first_block, blocks, splits;

    ROTE_HD int items() const { return tile_groups * splits; }

    ROTE_HD WorkItem item(int index) const {
        const int split = index / tile_groups;
        return {index % tile_groups, first_block + blocks * split / splits,
                first_block + blocks * (split + 1) / splits};
    }
};

// A hit is a word of its row in the tile and its position in the item, which bounds an item's length.
constexpr int kPositionBits = 25;
constexpr int kMostItemBlocks = (1 << kPositionBits) / kBlockColumns;

static_assert(kQueryRows <= 1 << (32 - kPositionBits));

/// The number of ranges for which the last cluster is done first; an item costs its blocks and `overhead` blocks more.
ROTE_HD int choose_splits(int tile_groups, int blocks, int clusters, int overhead) {
    const int least = (blocks + kMostItemBlocks - 1) / kMostItemBlocks;
    const int most = blocks < clusters ? blocks : clusters;
    int best = least;
    int64_t best_cost = INT64_MAX;
    for (int splits = least; splits <= most; ++splits) {
        const int64_t rounds = (int64_t(tile_groups) * splits + clusters - 1) / clusters;
        const int64_t cost = rounds * ((blocks + splits - 1) / splits + overhead);
        if (cost < best_cost) {
            best_cost = cost;
            best = splits;
        }
    }
    return best;
}

/// Stationary queries: a group multiplies all 128 with its half of a block. Streamed queries: its 64 with the whole
/// block, which reads less of shared memory.
template <bool kStationary>
using GroupFragment = Fragment<kStationary ? 2 : 1>;

ROTE_HD constexpr int group_row(bool stationary, int group) {
    return stationary ? 0 : group * kMmaRows;
}
ROTE_HD constexpr int group_column(bool stationary, int group) {
    return stationary ? group * kHalfColumns : 0;
}

// Shared memory -------------------------------------------------------------------------------------------------------

constexpr int kSharedLimit = 232448;  // bytes a block may have on compute capability 9.0
constexpr int kMaxStages = 12;
constexpr int kColumnSlots = 6;     // blocks whose biases and limits are there ahead of their products
constexpr int kQueueEntries = 128;  // hits a warp collects before it hands them over

constexpr int kColumnBytes = (kBlockColumns + kQueryRows) * 4;  // biases, then limits
constexpr int kQueueBytes = kQueueEntries * 12;                 // rows, positions, scores

/// References of one stage: half a block, whose reader is one group, or where queries are streamed too, a whole one.
ROTE_HD constexpr int stage_references(bool stationary) {
    return stationary ? kHalfColumns : kBlockColumns;
}

ROTE_HD constexpr int stage_bytes(bool stationary) {
    return tile_bytes(stage_references(stationary) + (stationary ? 0 : kQueryRows));
}

/// Offsets from a base aligned to a swizzle atom. Stationary queries lie at the base, stages follow.
struct SharedPlan {
    int stages, stage_offset, column_offset, queue_offset, barrier_offset, bytes;
};

/// Barriers by number: those of the whole block, then those of the rings.
constexpr int kQueriesFull = 0, kQueriesEmpty = 1, kTurn = 2, kRings = kTurn + kConsumerGroups;

ROTE_HD constexpr int stage_full(int slot) {
    return kRings + slot;
}
ROTE_HD constexpr int stage_empty(int slot) {
    return kRings + kMaxStages + slot;
}
ROTE_HD constexpr int column_full(int slot) {
    return kRings + 2 * kMaxStages + slot;
}
ROTE_HD constexpr int column_empty(int slot) {
    return kRings + 2 * kMaxStages + kColumnSlots + slot;
}
constexpr int kBarriers = kRings + 2 * kMaxStages + 2 * kColumnSlots;

/// Arrivals that complete a phase of a barrier: one per warp that reads or writes, one of the copying warp, which also
/// announces the bytes to come.
ROTE_HD constexpr int barrier_arrivals(int barrier, bool stationary, int cluster) {
    if (barrier == kQueriesEmpty || barrier >= column_empty(0)) return kConsumerWarps;
    if (barrier >= column_full(0)) return 2;  // copied biases, and one limit warp
    if (barrier >= stage_empty(0)) return (stationary ? kGroupWarps : kConsumerWarps) * cluster;
    if (barrier >= kTurn && barrier < kRings) return kGroupWarps;
    return 1;
}

ROTE_HD constexpr SharedPlan shared_plan(bool stationary, int chunks) {
    SharedPlan plan{};
    plan.stage_offset = stationary ? chunks * tile_bytes(kQueryRows) : 0;
    const int rest = kColumnSlots * kColumnBytes + kConsumerWarps * kQueueBytes + kBarriers * 8 + kAtomBytes;
    const int stages = (kSharedLimit - plan.stage_offset - rest) / stage_bytes(stationary);
    plan.stages = stages < kMaxStages ? stages : kMaxStages;
    plan.column_offset = plan.stage_offset + plan.stages * stage_bytes(stationary);
    plan.queue_offset = plan.column_offset + kColumnSlots * kColumnBytes;
    plan.barrier_offset = plan.queue_offset + kConsumerWarps * kQueueBytes;
    plan.bytes = plan.barrier_offset + kBarriers * 8 + kAtomBytes;  // the base is rounded up
    return plan;
}

}  // namespace rote::hopper
