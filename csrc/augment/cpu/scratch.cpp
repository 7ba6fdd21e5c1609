// augment/cpu/scratch.cpp: sizes of the scratch parts.
#include "augment/cpu/scratch.h"

#include "augment/cpu/executor.h"
#include "augment/meaning/resize_taps.h"

namespace rote {

ScratchLayout scratch_layout(const AugmentPlan& plan) {
    const int64_t height = plan.in_height > plan.out_height ? plan.in_height : plan.out_height;
    const int64_t width = plan.in_width > plan.out_width ? plan.in_width : plan.out_width;
    const int64_t taps = tap_count(plan.in_width > width ? plan.in_width : int32_t(width), plan.out_width);
    int64_t offset = 0;
    const auto take = [&](int64_t bytes) {
        const int64_t start = offset;
        offset += (bytes + 63) / 64 * 64 + 64;
        return start;
    };
    ScratchLayout layout{};
    layout.plane_pitch = ((height + 2) * (width + 2) + 15) / 16 * 16 + 64;  // + 2: the zero border of affine maps
    layout.planes = take(plan.channels * layout.plane_pitch * 4);
    layout.spare = take(plan.channels * layout.plane_pitch * 4);
    layout.bytes = take(int64_t(plan.channels) * plan.in_height * plan.in_width);
    layout.byte_pitch = (width + 63) / 64 * 64;
    layout.byte_rows = take((kMaxGatherTaps + 1) * layout.byte_pitch);
    layout.float_pitch = layout.byte_pitch + 64;
    layout.float_rows = take(6 * layout.float_pitch * 4);
    layout.index_pitch = ((height > width ? height : width) + 31) / 32 * 32 + 32;
    layout.columns = take(layout.index_pitch * 4);
    layout.rows = take(layout.index_pitch * 4);
    layout.gather_index = take((taps > kMaxGatherTaps ? taps : kMaxGatherTaps) * layout.index_pitch * 4);
    layout.control_pitch = (kMaxGatherChunks + 1) * layout.byte_pitch;
    layout.gather_controls = take(kMaxGatherTaps * layout.control_pitch);
    layout.taps_x = take(tap_scratch_words(int32_t(width), plan.out_width) * 4);
    layout.taps_y = take(tap_scratch_words(int32_t(height), plan.out_height) * 4);
    layout.coordinates = take(4 * layout.index_pitch * 4);
    layout.total = offset;
    return layout;
}

int64_t scratch_bytes(const AugmentPlan& plan) {
    return scratch_layout(plan).total;
}

}  // namespace rote
