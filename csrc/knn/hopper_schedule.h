// knn/hopper_schedule.h: which block works on which tiles, and what lies where in shared memory; host and device.
#pragma once

#include <cstdint>

#include "knn/hopper_layout.h"

namespace rote::hopper {

constexpr int kTileRows = 128;              // queries of a block
constexpr int kGroupColumns = kMmaColumns;  // references one consumer group multiplies at a time
constexpr int kConsumerGroups = 2;
constexpr int kConsumerWarps = kConsumerGroups * kGroupWarps;
constexpr int kThreads = (1 + kConsumerGroups) * kGroupThreads;  // a producer group besides
constexpr int kMaxStationaryChunks = 8;                          // queries stay in shared memory up to d = 512

/// Stationary: the groups take turns at tiles of 128 references. Streamed: both work on one tile of 256, each on half.
constexpr int tile_columns(bool stationary) {
    return stationary ? kGroupColumns : kConsumerGroups * kGroupColumns;
}

/// A range of reference tiles for a block of query tiles (one query tile per block of the cluster).
struct WorkItem {
    int row_block, first_tile, last_tile;
};

/// Items in the order in which clusters take them: all query blocks of a range of references before the next range, so
/// that the clusters running at one time read the same references.
struct Schedule {
    int row_blocks, tiles, splits;

    ROTE_HD int items() const { return row_blocks * splits; }

    ROTE_HD WorkItem item(int index) const {
        const int split = index / row_blocks;
        return {index % row_blocks, int(int64_t(tiles) * split / splits), int(int64_t(tiles) * (split + 1) / splits)};
    }
};

/// The number of ranges for which the last cluster is done first. An item costs its tiles and `overhead` tiles more.
ROTE_HD int choose_splits(int row_blocks, int tiles, int clusters, int overhead) {
    const int most = tiles < clusters ? tiles : clusters;
    int best = 1;
    int64_t best_cost = INT64_MAX;
    for (int splits = 1; splits <= most; ++splits) {
        const int64_t rounds = (int64_t(row_blocks) * splits + clusters - 1) / clusters;
        const int64_t cost = rounds * ((tiles + splits - 1) / splits + overhead);
        if (cost < best_cost) {
            best_cost = cost;
            best = splits;
        }
    }
    return best;
}

// Shared memory ------------------------------------------------------------------------------------------------------

constexpr int kSharedLimit = 232448;  // bytes a block may have on compute capability 9.0
constexpr int kMaxStages = 12;
constexpr int kColumnSlots = 8;    // tiles whose column terms are loaded ahead
constexpr int kQueueEntries = 64;  // hits a warp collects before it hands them over

/// Offsets from a base aligned to a swizzle atom.
struct SharedPlan {
    int stages, stage_bytes, column_bytes;
    int stage_offset, column_offset, queue_offset, barrier_offset, bytes;
};

/// Barriers by number: whole-block ones, then those of the rings.
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

/// Arrivals that complete a phase of a barrier. Warps arrive, not threads; producers arrive once, announcing bytes.
ROTE_HD constexpr int barrier_arrivals(int barrier, bool stationary, int cluster) {
    const int stage_readers = stationary ? kGroupWarps : kConsumerWarps;
    if (barrier == kQueriesEmpty) return kConsumerWarps;
    if (barrier >= kTurn && barrier < kRings) return kGroupWarps;
    if (barrier >= column_empty(0)) return stage_readers;
    if (barrier >= stage_empty(0) && barrier < column_full(0)) return stage_readers * cluster;
    return 1;
}

/// `column_terms` floats per reference travel with a tile; `queue_entry` bytes hold a hit.
ROTE_HD constexpr SharedPlan shared_plan(bool stationary, int chunks, int column_terms, int queue_entry) {
    SharedPlan plan{};
    plan.stage_bytes = tile_bytes(stationary ? kGroupColumns : kTileRows + tile_columns(false));
    plan.column_bytes = tile_columns(stationary) * column_terms * 4;
    plan.stage_offset = stationary ? chunks * tile_bytes(kTileRows) : 0;
    const int rest = kColumnSlots * plan.column_bytes + kConsumerWarps * kQueueEntries * queue_entry + kBarriers * 8;
    const int stages = (kSharedLimit - kAtomBytes - plan.stage_offset - rest) / plan.stage_bytes;
    plan.stages = stages < kMaxStages ? stages : kMaxStages;
    plan.column_offset = plan.stage_offset + plan.stages * plan.stage_bytes;
    plan.queue_offset = plan.column_offset + kColumnSlots * plan.column_bytes;
    plan.barrier_offset = plan.queue_offset + kConsumerWarps * kQueueEntries * queue_entry;
    plan.bytes = plan.barrier_offset + kBarriers * 8 + kAtomBytes;  // the base is rounded up
    return plan;
}

}  // namespace rote::hopper
