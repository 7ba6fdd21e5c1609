// augment/cuda/fast_plan.cpp: see the header.
#include "augment/cuda/fast_plan.h"

#include "augment/cuda/simple_memory.h"
#include "augment/meaning/blur.h"
#include "augment/meaning/resize_taps.h"
#include "augment/program/kinds.h"

namespace rote {
namespace {

constexpr int32_t kMostTaps = 8;
constexpr int32_t kWidestBlur = 256;  // a blur along x wants a thread for every column
constexpr int32_t kMapBytes = 48;     // an affine map, where weights lie otherwise
constexpr int64_t kRowBudget = 4096;  // bytes of parameters a team draws at once

int64_t padded(int64_t bytes) {
    return (bytes + 15) / 16 * 16;
}

/// Follows the passes with every operation applied.
struct Passes {
    bool from_planes = false, has_sampler = false, has_ops = false;
    bool means_alone = true;  // nothing but means ends a pass
    int32_t sets = 0, ops = 0, widest = 1;
    int64_t plane_floats = 0;
    int32_t height, width;
    int32_t blur_weights = 0;

    void blur(const AugmentStep& step) {
        means_alone = false;
        if (!from_planes || has_sampler || has_ops) flush();
        has_sampler = true;
        const int32_t count = blur_radius(step.constants[0]) + blur_radius(step.constants[1]) + 2;
        blur_weights = count > blur_weights ? count : blur_weights;
    }
    void hold() {  // the image once more, beside the others
        means_alone = false;
        const int64_t pixels = int64_t(height) * width;
        plane_floats = pixels > plane_floats ? pixels : plane_floats;
        widest = width > widest ? width : widest;
    }
    void flush() {
        sets = from_planes && has_sampler ? 2 : (sets > 1 ? sets : 1);
        const int64_t pixels = int64_t(height) * width;
        plane_floats = pixels > plane_floats ? pixels : plane_floats;
        widest = width > widest ? width : widest;
        from_planes = true;
        has_sampler = has_ops = false;
    }
    void sampler(const AugmentStep& step) {
        if (has_sampler || has_ops) {
            means_alone = false;
            flush();
        }
        has_sampler = true;
        height = step.out_height;
        width = step.out_width;
    }
};

bool takes_mean(const AugmentStep& step) {
    return step.kind == AugmentKind::color_jitter && !(step.constants[2] == 1.0 && step.constants[3] == 1.0);
}

/// False where an operation has no place in a pass.
bool follow(const AugmentStep& step, Passes& passes) {
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::resize:
            if (resize_filter(step).interpolation == Interpolation::nearest) return false;
            passes.sampler(step);
            return true;
        case AugmentKind::random_crop:
        case AugmentKind::center_crop:
        case AugmentKind::random_affine:
        case AugmentKind::random_rotation:
            passes.sampler(step);
            return true;
        case AugmentKind::horizontal_flip:
        case AugmentKind::vertical_flip:
        case AugmentKind::alternating_flip:
            return true;
        case AugmentKind::color_jitter:
            if (takes_mean(step)) passes.flush();
            passes.ops += 4;
            passes.has_ops = true;
            return true;
        case AugmentKind::grayscale:
        case AugmentKind::normalize:
        case AugmentKind::solarize:
        case AugmentKind::posterize:
        case AugmentKind::invert:
            passes.ops += 1;
            passes.has_ops = true;
            return true;
        case AugmentKind::random_erasing:
            if (step.constants[5] != 0) return false;  // noise
            passes.ops += 1;
            passes.has_ops = true;
            return true;
        case AugmentKind::cutout:
            passes.ops += 1;
            passes.has_ops = true;
            return true;
        case AugmentKind::gaussian_blur:
            passes.blur(step);
            return true;
        case AugmentKind::mixup:
        case AugmentKind::cutmix:
            passes.hold();
            passes.ops += 1;
            passes.has_ops = true;
            return true;
        default:
            return false;
    }
}

bool resizes(const AugmentStep& step) {
    return step.kind == AugmentKind::random_resized_crop || step.kind == AugmentKind::resize;
}

int32_t most_taps(const AugmentPlan& plan) {
    int32_t most = 2;
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        if (!resizes(step)) continue;
        const ResizeFilter filter = resize_filter(step);
        const int32_t y = tap_count(filter, step.in_height, step.out_height);
        const int32_t x = tap_count(filter, step.in_width, step.out_width);
        most = y > most ? y : most;
        most = x > most ? x : most;
    }
    return most;
}

}  // namespace

FastPlan fast_plan(const AugmentPlan& plan) {
    FastPlan fast{};
    if (plan.channels != 1 && plan.channels != 3) return fast;
    Passes passes;
    passes.height = plan.in_height;
    passes.width = plan.in_width;
    fast.mixing_step = -1;
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        if (!follow(plan.steps[s], passes)) return fast;
        if (!mixes(plan.steps[s].kind)) continue;
        if (fast.mixing_step >= 0) return fast;
        fast.mixing_step = s;
    }
    passes.widest = plan.out_width > passes.widest ? plan.out_width : passes.widest;
    const int32_t taps = most_taps(plan);
    if (taps > kMostTaps || (passes.blur_weights > 0 && passes.widest > kWidestBlur)) return fast;

    fast.taps = taps <= 2 && plan.channels == 3 ? 2 : kMostTaps;  // as compiled
    fast.team = passes.widest <= 32 ? 32 : (passes.widest <= 64 ? 128 : (passes.widest <= 96 ? 192 : 256));
    fast.seats = fast.team == 32 ? 4 : 1;
    fast.most_rows = 32;
    while (fast.most_rows > 1 && fast.most_rows * int64_t(plan.row_words) * 4 > kRowBudget) fast.most_rows /= 2;
    fast.row_bytes = int32_t(padded(fast.most_rows * int64_t(plan.row_words) * 4));
    fast.op_bytes = int32_t(padded((passes.ops + 1) * int64_t(16)));
    int64_t tap_entries = 0;
    for (int32_t s = 0; s < plan.num_steps; ++s)
        if (resizes(plan.steps[s])) {
            const int64_t entries = int64_t(plan.steps[s].out_height) + plan.steps[s].out_width;
            tap_entries = entries > tap_entries ? entries : tap_entries;
        }
    fast.tap_bytes = int32_t(tap_entries * (fast.taps == 2 ? 16 : 48));
    const int32_t weight_bytes = int32_t(padded(passes.blur_weights * int64_t(sizeof(double) + sizeof(float))));
    fast.tap_bytes = weight_bytes > fast.tap_bytes ? weight_bytes : fast.tap_bytes;
    if (fast.tap_bytes < kMapBytes) fast.tap_bytes = kMapBytes;
    fast.stage_bytes = int32_t(padded(int64_t(fast.team) * kFastRows * plan.channels * 4));
    fast.image_bytes = int32_t(padded(int64_t(plan.channels) * plan.in_height * plan.in_width));
    fast.plane_sets = passes.sets;
    fast.plane_floats = passes.plane_floats;
    fast.plane_bytes =
        padded((passes.sets + (fast.mixing_step >= 0)) * plan.channels * passes.plane_floats * int64_t(sizeof(float)));
    fast.buffers = passes.sets == 0 ? 2 : 1;
    if (fast_seat_bytes(fast, true) * fast.seats > kMaxSharedBytes && fast.team != 32 && passes.means_alone) {
        fast.recompute = true;
        fast.plane_sets = 0;
        fast.plane_bytes = 0;
    }
    fast.planes_on_chip = fast_seat_bytes(fast, true) * fast.seats <= kMaxSharedBytes;
    if (fast.team == 32) {
        while (fast.seats > 1 && fast_seat_bytes(fast, true) * fast.seats > kMaxSharedBytes) fast.seats /= 2;
        fast.planes_on_chip = fast_seat_bytes(fast, true) * fast.seats <= kMaxSharedBytes;
        if (!fast.planes_on_chip) {  // large images become small ones
            fast.team = 128;
            fast.stage_bytes *= 4;
            fast.planes_on_chip = fast_seat_bytes(fast, true) <= kMaxSharedBytes;
        }
    }
    fast.possible = true;
    return fast;
}

int64_t fast_seat_bytes(const FastPlan& fast, bool planes) {
    const int64_t fixed = int64_t(fast.row_bytes) + fast.op_bytes + fast.tap_bytes + fast.stage_bytes;
    return planes ? fixed + (fast.buffers + (fast.mixing_step >= 0)) * int64_t(fast.image_bytes) + fast.plane_bytes
                  : fixed;
}

int64_t fast_workspace_bytes(const FastPlan& fast, int64_t batch) {
    if (fast.planes_on_chip || fast.plane_bytes == 0) return 0;
    const int64_t teams = batch < kMaxFastWorkspaceTeams ? batch : kMaxFastWorkspaceTeams;
    return teams * fast.plane_bytes;
}

}  // namespace rote
