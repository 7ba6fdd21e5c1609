// augment/cpu/body.h: a view through a program on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/affine.h"
#include "augment/cpu/blur.h"
#include "augment/cpu/color.h"
#include "augment/cpu/crops.h"
#include "augment/cpu/mix.h"
#include "augment/cpu/noise.h"
#include "augment/cpu/resize.h"
#include "augment/cpu/store.h"
#include "augment/cpu/tone.h"
#include "augment/program/kinds.h"

namespace rote {
namespace {

/// Steps that leave the rest of what a view owes alone. All others find the bank or planes, and nothing owed.
inline bool keeps_debts(AugmentKind kind) {
    return kind == AugmentKind::random_resized_crop || group_of(kind) == AugmentGroup::color;
}

/// Steps that make no pixel negative that was not.
inline bool keeps_sign(const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            return step.constants[4] == 1;  // bilinear
        case AugmentKind::random_crop:
        case AugmentKind::center_crop:
        case AugmentKind::horizontal_flip:
        case AugmentKind::vertical_flip:
        case AugmentKind::alternating_flip:
        case AugmentKind::color_jitter:
        case AugmentKind::grayscale:
        case AugmentKind::gaussian_blur:
            return true;
        default:
            return false;
    }
}

/// Applies step s and returns the next step to do: flips right after a resize are taken along with it.
inline int32_t apply_step(View& view, int32_t s, const Normalization* normalizations) {
    const AugmentPlan& plan = *view.plan;
    const AugmentStep& step = plan.steps[s];
    if (!keeps_debts(step.kind) && (view.resize.owed || view.chain.count > 0)) to_planes(view);
    view.non_negative = view.non_negative && keeps_sign(step);
    switch (step.kind) {
        case AugmentKind::random_resized_crop: {
            int32_t next = s + 1;
            bool mirror = false;
            while (next < plan.num_steps && plan.steps[next].kind == AugmentKind::horizontal_flip)
                mirror = mirror != (view.row[plan.steps[next++].row_offset] != 0);
            random_resized_crop(view, s, mirror);
            return next;
        }
        case AugmentKind::random_crop:
            random_crop(view, step);
            break;
        case AugmentKind::horizontal_flip:
            if (view.row[step.row_offset] != 0) flip(view);
            break;
        case AugmentKind::random_affine:
            random_affine(view, step);
            break;
        case AugmentKind::color_jitter:
            color_jitter(view, step);
            break;
        case AugmentKind::grayscale:
            if (view.row[step.row_offset] != 0) grayscale(view);
            break;
        case AugmentKind::normalize:
            normalize(view, normalizations[s]);
            break;
        case AugmentKind::vertical_flip:
        case AugmentKind::alternating_flip:
        case AugmentKind::resize:
        case AugmentKind::center_crop:
        case AugmentKind::random_rotation:
            break;
        case AugmentKind::gaussian_blur:
            if (view.row[step.row_offset] != 0) gaussian_blur(view, step);
            break;
        case AugmentKind::solarize:
            if (view.row[step.row_offset] != 0) solarize(view, step);
            break;
        case AugmentKind::posterize:
            if (view.row[step.row_offset] != 0) posterize(view, step);
            break;
        case AugmentKind::invert:
            if (view.row[step.row_offset] != 0) invert(view);
            break;
        case AugmentKind::sharpness:
            if (view.row[step.row_offset] != 0) sharpness(view, step);
            break;
        case AugmentKind::auto_contrast:
            if (view.row[step.row_offset] != 0) auto_contrast(view);
            break;
        case AugmentKind::equalize:
            if (view.row[step.row_offset] != 0) equalize(view);
            break;
        case AugmentKind::rand_augment:
            rand_augment(view, step);
            break;
        case AugmentKind::random_erasing:
            if (view.row[step.row_offset] != 0) random_erasing(view, step);
            break;
        case AugmentKind::cutout:
            if (view.row[step.row_offset] != 0) cutout(view, step);
            break;
        case AugmentKind::gaussian_noise:
            if (view.row[step.row_offset] != 0) gaussian_noise(view, step);
            break;
        case AugmentKind::mixup:
        case AugmentKind::cutmix:
            mix(view, step);
            break;
    }
    return s + 1;
}

inline void render_views_on_vectors(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows,
                                    char* scratch) {
    const AugmentPlan& plan = *job.plan;
    const ScratchLayout layout = scratch_layout(plan);
    View view{};
    view.plan = &plan;
    view.tables = job.tables;
    view.layout = &layout;
    view.scratch = scratch;
    for (int64_t index = begin; index < end; ++index) {
        view.row = rows + (index - begin) * plan.row_words;
        if (index + 2 < end) prefetch_image(plan, job.images, job.ids[index + 2]);
        open_view(view, job.images, job.ids[index]);
        for (int32_t s = 0; s < plan.num_steps;) s = apply_step(view, s, job.normalizations);
        store_view(view, job, index);
    }
    if (job.streams) end_stream();
}

}  // namespace
}  // namespace rote
