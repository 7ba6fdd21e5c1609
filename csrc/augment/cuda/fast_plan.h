// augment/cuda/fast_plan.h: how the fast kernel lays a recipe out, decided from the plan alone.
//
// A view is rendered in passes over its pixels. A pass reads an image (bytes of the bank, or planes of floats), moves
// pixels by at most one sampler (crop, resize, affine map; flips are free), runs colour operations in registers, and
// writes planes or the output. A new pass begins where an operation needs the whole image before it: the grey mean of a
// contrast, or a second sampler.
#pragma once

#include <cstdint>

#include "rote/augment.h"

namespace rote {

struct FastPlan {
    bool possible;        ///< else the simple kernel renders the recipe
    int32_t team;         ///< threads per view: a warp, or a block
    int32_t seats;        ///< views a block renders at the same time
    int32_t taps;         ///< of the resizes: 2, or up to 8
    int32_t plane_sets;   ///< images of floats on the way, 0 to 2
    bool recompute;       ///< without planes a mean costs a pass of its own
    int32_t buffers;      ///< images of bytes: the next one arrives early
    int32_t mixing_step;  ///< of the recipe; -1: no partner
    int32_t most_rows;    ///< views whose parameters a team draws at once
    int64_t plane_floats;
    // Bytes of a team's memory, in this order, each a multiple of 16.
    int32_t row_bytes, op_bytes, tap_bytes, image_bytes, stage_bytes;
    int64_t plane_bytes;  ///< all sets, and a partner
    bool planes_on_chip;  ///< with 96 KB a block, which every device has; a device with more takes more
};

FastPlan fast_plan(const AugmentPlan& plan);

/// Shared memory of a team, without and with planes.
int64_t fast_seat_bytes(const FastPlan& fast, bool planes);

int64_t fast_workspace_bytes(const FastPlan& fast, int64_t batch);

constexpr int kFastRows = 4;                     // rows of a column a thread holds in registers
constexpr int64_t kMaxFastWorkspaceTeams = 528;  // four blocks for each multiprocessor of an H200

}  // namespace rote
