// knn/cuda/hopper_pipeline.h: who waits for whom. The control flow of the copying warp, the limit warps and the two
// multiplying groups, written against a machine: on the device its operations are PTX, in
// csrc/tests/test_knn_hopper_pipeline.cpp they are simulated, with every order of events the barriers allow.
#pragma once

#include <cstdint>

#include "knn/cuda/hopper_schedule.h"

namespace rote::hopper {

/// Position in a ring of slots. A slot's barriers complete one phase per round; `parity` is that of the round.
struct Ring {
    int depth;
    int slot = 0;
    uint32_t parity = 0;

    ROTE_HD explicit Ring(int slots) : depth(slots) {}

    ROTE_HD void advance(int steps = 1) {
        slot += steps;
        while (slot >= depth) {
            slot -= depth;
            parity ^= 1;
        }
    }
};

/// What all roles must agree on.
struct PipelineShape {
    Schedule schedule;
    int chunks;             // of 64 halves per row
    int stages;             // slots of the stage ring
    int cluster, clusters;  // this one and how many there are
};

/// The copying warp. `Machine`: wait(barrier, parity); expect_queries(), expect_stage(slot), expect_columns(slot)
/// arrive and announce bytes; copy_queries(item, chunk), copy_stage(item, block, half, chunk, slot),
/// copy_columns(block, slot).
template <bool kStationary, class Machine>
ROTE_HD void run_copies(const PipelineShape& shape, Machine& machine) {
    Ring stage(shape.stages), column(kColumnSlots);
    uint32_t item_parity = 0;
    for (int index = shape.cluster; index < shape.schedule.items(); index += shape.clusters) {
        const WorkItem item = shape.schedule.item(index);
        if (kStationary) {
            machine.wait(kQueriesEmpty, item_parity ^ 1);
            machine.expect_queries();
            for (int chunk = 0; chunk < shape.chunks; ++chunk) machine.copy_queries(item, chunk);
            item_parity ^= 1;
        }
        for (int block = item.first_block; block < item.last_block; ++block) {
            machine.wait(column_empty(column.slot), column.parity ^ 1);
            machine.expect_columns(column.slot);
            machine.copy_columns(block, column.slot);
            column.advance();
            for (int half = 0; half < (kStationary ? 2 : 1); ++half)
                for (int chunk = 0; chunk < shape.chunks; ++chunk) {
                    machine.wait(stage_empty(stage.slot), stage.parity ^ 1);
                    machine.expect_stage(stage.slot);
                    machine.copy_stage(item, block, half, chunk, stage.slot);
                    stage.advance();
                }
        }
    }
}

/// Limit warp `warp` of kLimitWarps, each of which serves every third block. `Machine`: wait; start_item(item);
/// write_limits(block, slot); signal(barrier).
template <class Machine>
ROTE_HD void run_limits(const PipelineShape& shape, int warp, Machine& machine) {
    Ring column(kColumnSlots);
    int turn = 0;
    for (int index = shape.cluster; index < shape.schedule.items(); index += shape.clusters) {
        const WorkItem item = shape.schedule.item(index);
        machine.start_item(item);
        for (int block = item.first_block; block < item.last_block; ++block) {
            if (turn == warp) {
                machine.wait(column_empty(column.slot), column.parity ^ 1);
                machine.write_limits(block, column.slot);
                machine.signal(column_full(column.slot));
            }
            turn = turn + 1 == kLimitWarps ? 0 : turn + 1;
            column.advance();
        }
    }
}

/// Multiplying group `group`, which owns that half of every block. `Machine`: wait; signal(barrier) arrives in this
/// block, release_stage(slot) in every block of the cluster; start_item(item); multiply(chunk, slot) issues the
/// products of a chunk; wait_products<n>() leaves n chunks running; filter(block, slot) turns scores into hits;
/// finish_item().
///
/// Stationary queries: the groups take turns at the tensor cores, half a block each, so that one filters while the
/// other multiplies. Streamed queries: both read every stage, and filtering is a small share.
template <bool kStationary, class Machine>
ROTE_HD void run_products(const PipelineShape& shape, int group, Machine& machine) {
    Ring stage(shape.stages), column(kColumnSlots);
    uint32_t item_parity = 0;
    // Group 0's first turn waits for the phase before the first one, which counts as complete; group 1 for group 0.
    uint32_t turn_parity = uint32_t(group) ^ 1;
    for (int index = shape.cluster; index < shape.schedule.items(); index += shape.clusters) {
        const WorkItem item = shape.schedule.item(index);
        machine.start_item(item);
        if (kStationary) machine.wait(kQueriesFull, item_parity);
        for (int block = item.first_block; block < item.last_block; ++block) {
            if (kStationary) {
                if (group == 1) stage.advance(shape.chunks);  // the other half
                machine.wait(kTurn + group, turn_parity);
                turn_parity ^= 1;
            }
            int previous = 0;
            for (int chunk = 0; chunk < shape.chunks; ++chunk) {
                machine.wait(stage_full(stage.slot), stage.parity);
                machine.multiply(chunk, stage.slot);
                if (chunk > 0) {
                    machine.template wait_products<1>();
                    machine.release_stage(previous);
                }
                previous = stage.slot;
                stage.advance();
            }
            if (kStationary) {
                machine.signal(kTurn + (group ^ 1));  // all is issued; the other group's products queue up behind
                if (group == 0) stage.advance(shape.chunks);
            }
            machine.template wait_products<0>();
            machine.release_stage(previous);
            machine.wait(column_full(column.slot), column.parity);
            machine.filter(block, column.slot);
            machine.signal(column_empty(column.slot));
            column.advance();
        }
        if (kStationary) machine.signal(kQueriesEmpty);
        item_parity ^= 1;
        machine.finish_item();
    }
}

}  // namespace rote::hopper
