// augment/cuda/simple_memory.cpp: where a block of the simple kernel keeps its image, decided from the shapes alone.
#include "augment/cuda/simple_memory.h"

namespace rote {

SimpleMemory simple_memory(const AugmentPlan& plan, int64_t batch) {
    SimpleMemory memory{};
    const int64_t height = plan.in_height > plan.out_height ? plan.in_height : plan.out_height;
    const int64_t width = plan.in_width > plan.out_width ? plan.in_width : plan.out_width;
    memory.plane_floats = height * width;
    memory.image_bytes = 2 * plan.channels * memory.plane_floats * int64_t(sizeof(float));
    bool resizes = false;
    for (int32_t s = 0; s < plan.num_steps; ++s)
        resizes = resizes || plan.steps[s].kind == AugmentKind::random_resized_crop;
    if (resizes) {
        const auto words = [](int32_t in, int32_t out) {
            return int64_t(out) * (1 + (in > out ? 2 * int64_t(in / out) + 4 : 2));
        };
        memory.tap_words = words(int32_t(width), plan.out_width) + words(int32_t(height), plan.out_height);
    }
    memory.tap_bytes = memory.tap_words * int64_t(sizeof(float));
    memory.in_shared = memory.image_bytes + memory.tap_bytes <= kMaxSharedBytes;
    memory.blocks = batch < kMaxWorkspaceBlocks || memory.in_shared ? batch : kMaxWorkspaceBlocks;
    if (memory.blocks > kMaxGridBlocks) memory.blocks = kMaxGridBlocks;
    memory.workspace_bytes = memory.in_shared ? 0 : memory.blocks * (memory.image_bytes + memory.tap_bytes);
    return memory;
}

}  // namespace rote
