// augment/cuda/simple_memory.cpp: where a block of the simple kernel keeps its image, decided from the shapes alone.
#include "augment/cuda/simple_memory.h"

#include "augment/meaning/blur.h"
#include "augment/meaning/resize_taps.h"
#include "augment/program/kinds.h"

namespace rote {
namespace {

int64_t at_least(int64_t value, int64_t other) {
    return value > other ? value : other;
}

/// Words for the weights of an operation.
int64_t tap_words(const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::resize: {
            const ResizeFilter filter = resize_filter(step);
            return int64_t(step.out_width) * (1 + tap_count(filter, step.in_width, step.out_width)) +
                   int64_t(step.out_height) * (1 + tap_count(filter, step.in_height, step.out_height));
        }
        case AugmentKind::gaussian_blur:
            return int64_t(blur_radius(step.constants[0])) + blur_radius(step.constants[1]) + 2;
        default:
            return 0;
    }
}

}  // namespace

SimpleMemory simple_memory(const AugmentPlan& plan, int64_t batch) {
    SimpleMemory memory{};
    bool mixing = false;
    memory.plane_floats = int64_t(plan.in_height) * plan.in_width;
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        mixing = mixing || mixes(step.kind);
        memory.plane_floats = at_least(memory.plane_floats, int64_t(step.out_height) * step.out_width);
        memory.plane_floats = at_least(memory.plane_floats, int64_t(step.in_height) * step.out_width);  // narrowed rows
        memory.tap_words = at_least(memory.tap_words, tap_words(step));
    }
    memory.sets = mixing ? 3 : 2;
    memory.image_bytes = memory.sets * plan.channels * memory.plane_floats * int64_t(sizeof(float));
    memory.tap_bytes = memory.tap_words * int64_t(sizeof(float));
    memory.in_shared = memory.image_bytes + memory.tap_bytes <= kMaxSharedBytes;
    memory.blocks = batch < kMaxWorkspaceBlocks || memory.in_shared ? batch : kMaxWorkspaceBlocks;
    if (memory.blocks > kMaxGridBlocks) memory.blocks = kMaxGridBlocks;
    memory.workspace_bytes = memory.in_shared ? 0 : memory.blocks * (memory.image_bytes + memory.tap_bytes);
    return memory;
}

}  // namespace rote
