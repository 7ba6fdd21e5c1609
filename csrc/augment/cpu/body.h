// augment/cpu/body.h: a view through a program on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/affine.h"
#include "augment/cpu/blur.h"
#include "augment/cpu/color.h"
#include "augment/cpu/crops.h"
#include "augment/cpu/mix.h"
#include "augment/cpu/noise.h"
#include "augment/cpu/rand_augment.h"
#include "augment/cpu/resize.h"
#include "augment/cpu/store.h"
#include "augment/cpu/tone.h"
#include "augment/program/kinds.h"

namespace rote {
namespace {

/// Steps that look after what the view owes themselves. All others find the bank or planes, and nothing owed.
inline bool keeps_debts(AugmentKind kind) {
    return group_of(kind) == AugmentGroup::color;
}

inline bool mirrors(AugmentKind kind) {
    return kind == AugmentKind::horizontal_flip || kind == AugmentKind::alternating_flip;
}

/// Applies step s and returns the next step to do: flips right after a resize are taken along with it.
inline int32_t apply_step(View& view, int32_t s) {
    const AugmentPlan& plan = *view.plan;
    const AugmentStep& step = plan.steps[s];
    if (!keeps_debts(step.kind) && (view.resize.owed || view.chain.count > 0)) to_planes(view);
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::resize: {
            int32_t next = s + 1;
            bool mirror = false;
            while (next < plan.num_steps && mirrors(plan.steps[next].kind))
                mirror = mirror != (view.row[plan.steps[next++].row_offset] != 0);
            random_resized_crop(view, s, mirror);
            return next;
        }
        case AugmentKind::random_crop:
        case AugmentKind::center_crop:
            padded_crop(view, step);
            break;
        case AugmentKind::horizontal_flip:
        case AugmentKind::alternating_flip:
            if (view.row[step.row_offset] != 0) flip(view);
            break;
        case AugmentKind::vertical_flip:
            if (view.row[step.row_offset] != 0) flip_vertically(view);
            break;
        case AugmentKind::random_affine:
        case AugmentKind::random_rotation:
            apply_affine(view, affine_map(step, view.row), affine_sampling(step));
            break;
        case AugmentKind::color_jitter:
            color_jitter(view, step);
            break;
        case AugmentKind::grayscale:
            if (view.row[step.row_offset] != 0) grayscale(view);
            break;
        case AugmentKind::normalize:
            normalize(view, view.normalizations[s]);
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
            mix(view, s, [](View& partner, int32_t t) { return apply_step(partner, t); });
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
    view.bank = &job.images;
    view.tables = job.tables;
    view.layout = &layout;
    view.normalizations = job.normalizations;
    view.scratch = scratch;
    for (int64_t index = begin; index < end; ++index) {
        view.row = rows + (index - begin) * plan.row_words;
        if (index + 2 < end) prefetch_image(plan, job.images, job.ids[index + 2]);
        open_view(view, job.images, job.ids[index]);
        for (int32_t s = 0; s < plan.num_steps;) s = apply_step(view, s);
        store_view(view, job, index);
    }
    if (job.streams) end_stream();
}

}  // namespace
}  // namespace rote
