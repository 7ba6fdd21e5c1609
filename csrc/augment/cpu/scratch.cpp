// augment/cpu/scratch.cpp: sizes of the scratch parts.
#include "augment/cpu/scratch.h"

#include "augment/cpu/executor.h"
#include "augment/meaning/resize_taps.h"
#include "augment/program/kinds.h"

namespace rote {

namespace {

struct Largest {
    int64_t height, width;             // of an image on its way
    int64_t taps;                      // per output pixel of a resize
    int64_t words_x = 0, words_y = 0;  // of taps computed per view
};

Largest largest_of(const AugmentPlan& plan) {
    Largest most{plan.in_height, plan.in_width, 2};
    const auto raise = [](int64_t& value, int64_t other) { value = value > other ? value : other; };
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        raise(most.height, step.out_height);
        raise(most.width, step.out_width);
        if (step.kind != AugmentKind::random_resized_crop && step.kind != AugmentKind::resize) continue;
        const ResizeFilter filter = resize_filter(step);
        raise(most.taps, tap_count(filter, step.in_width, step.out_width));
        raise(most.words_x, tap_scratch_words(filter, step.in_width, step.out_width));
        raise(most.words_y, tap_scratch_words(filter, step.in_height, step.out_height));
    }
    return most;
}

bool warps(const AugmentPlan& plan) {
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentKind kind = plan.steps[s].kind;
        if (kind == AugmentKind::random_affine || kind == AugmentKind::random_rotation ||
            kind == AugmentKind::rand_augment)
            return true;
    }
    return false;
}

}  // namespace

ScratchLayout scratch_layout(const AugmentPlan& plan) {
    const Largest most = largest_of(plan);
    const int64_t height = most.height, width = most.width, taps = most.taps;
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
    bool partners = false;
    for (int32_t s = 0; s < plan.num_steps; ++s) partners = partners || mixes(plan.steps[s].kind);
    layout.partner = take(partners ? plan.channels * layout.plane_pitch * 4 : 0);
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
    layout.taps_x = take(most.words_x * 4);
    layout.taps_y = take(most.words_y * 4);
    layout.coordinates = take(4 * layout.index_pitch * 4);
    layout.texels = take(warps(plan) ? ((height + 3) * (width + 3) + 16) * 4 * 4 : 0);
    layout.byte_tables = take(int64_t(plan.channels) * 256 * 2);
    layout.total = offset;
    return layout;
}

int64_t scratch_bytes(const AugmentPlan& plan) {
    return scratch_layout(plan).total;
}

}  // namespace rote
