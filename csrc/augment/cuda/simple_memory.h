// augment/cuda/simple_memory.h: shared memory, or workspace where an image is too large for it.
#pragma once

#include <cstdint>

#include "rote/augment.h"

namespace rote {

constexpr int64_t kMaxSharedBytes = 96 * 1024;  // every target since sm_80 grants this to a block
constexpr int64_t kMaxWorkspaceBlocks = 1056;   // eight blocks for each multiprocessor of an H200
constexpr int64_t kMaxGridBlocks = int64_t(1) << 20;

struct SimpleMemory {
    int64_t plane_floats;  ///< pixels of the largest image on the way
    int32_t sets;          ///< images of float planes: two, with a partner three
    int64_t image_bytes;   ///< all of them
    int64_t tap_words, tap_bytes;
    bool in_shared;
    int64_t blocks;  ///< grid size; a block walks over views
    int64_t workspace_bytes;
};

SimpleMemory simple_memory(const AugmentPlan& plan, int64_t batch);

}  // namespace rote
