// knn/hopper_pipeline.h: who waits for whom. The control flow of the copying warp and of the two multiplying groups,
// written against a machine: on the device its operations are PTX, in csrc/tests/test_knn_hopper_pipeline.cpp threads.
#pragma once

#include <cstdint>

#include "knn/hopper_schedule.h"

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

/// What both sides must agree on.
struct PipelineShape {
    Schedule schedule;
    int chunks;  // of 64 halves per row
    int stages;
    int cluster, clusters;  // this cluster and how many there are
};

/// The copying warp. `Machine`: wait(barrier, parity); expect_queries(), expect_stage(slot), expect_columns(slot)
/// announce bytes; copy_queries(row_block, chunk); copy_stage(row_block, tile, chunk, slot); copy_columns(tile, slot).
template <bool kStationary, class Machine>
ROTE_HD void run_producer(const PipelineShape& shape, Machine& machine) {
    Ring stage(shape.stages), column(kColumnSlots);
    uint32_t item_parity = 0;
    for (int index = shape.cluster; index < shape.schedule.items(); index += shape.clusters) {
        const WorkItem item = shape.schedule.item(index);
        if (kStationary) {
            machine.wait(kQueriesEmpty, item_parity ^ 1);
            machine.expect_queries();
            for (int chunk = 0; chunk < shape.chunks; ++chunk) machine.copy_queries(item.row_block, chunk);
            item_parity ^= 1;
        }
        for (int tile = item.first_tile; tile < item.last_tile; ++tile) {
            machine.wait(column_empty(column.slot), column.parity ^ 1);
            machine.expect_columns(column.slot);
            machine.copy_columns(tile, column.slot);
            column.advance();
            for (int chunk = 0; chunk < shape.chunks; ++chunk) {
                machine.wait(stage_empty(stage.slot), stage.parity ^ 1);
                machine.expect_stage(stage.slot);
                machine.copy_stage(item.row_block, tile, chunk, stage.slot);
                stage.advance();
            }
        }
    }
}

/// One multiplying group. `Machine`: wait; signal(barrier) arrives in this block, release_stage(slot) in every block of
/// the cluster; start_item(item); prepare_tile() fetches thresholds; multiply(chunk, slot) issues the products of a
/// chunk; wait_products<n>() leaves n chunks running; filter(tile, slot) turns scores into hits; finish_item().
template <bool kStationary, class Machine>
ROTE_HD void run_consumer(const PipelineShape& shape, int group, Machine& machine) {
    Ring stage(shape.stages), column(kColumnSlots);
    uint32_t item_parity = 0, turns = 0, tile_count = 0;
    for (int index = shape.cluster; index < shape.schedule.items(); index += shape.clusters) {
        const WorkItem item = shape.schedule.item(index);
        machine.start_item(item);
        if (kStationary) machine.wait(kQueriesFull, item_parity);
        for (int tile = item.first_tile; tile < item.last_tile; ++tile, ++tile_count) {
            if (kStationary && (tile_count & 1) != uint32_t(group)) {
                stage.advance(shape.chunks);
                column.advance();
                continue;
            }
            machine.prepare_tile();
            // The first turn of group 0 waits for the phase before the first one; group 1 waits for group 0.
            if (kStationary) machine.wait(kTurn + group, (turns + 1 + uint32_t(group)) & 1);
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
            // All is issued: the other group's products queue up behind, and this group's epilogue runs beside them.
            if (kStationary) machine.signal(kTurn + (group ^ 1));
            ++turns;
            machine.template wait_products<0>();
            machine.release_stage(previous);
            machine.wait(column_full(column.slot), column.parity);
            machine.filter(tile, column.slot);
            machine.signal(column_empty(column.slot));
            column.advance();
        }
        if (kStationary) machine.signal(kQueriesEmpty);
        item_parity ^= 1;
        machine.finish_item();
    }
}

}  // namespace rote::hopper
