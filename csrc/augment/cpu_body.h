// augment/cpu_body.h: a view through a program on vectors. Included by the cpu_* files only.
#pragma once

#include "augment/cpu_color.h"
#include "augment/cpu_geometry.h"
#include "augment/cpu_resize.h"
#include "augment/cpu_store.h"

namespace rote {
namespace {

/// Applies step s and returns the next step to do: flips right after a resize are taken along with it.
inline int32_t apply_step(View& view, int32_t s) {
    const AugmentPlan& plan = *view.plan;
    const AugmentStep& step = plan.steps[s];
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
            normalize_planes(view, step);
            break;
    }
    return s + 1;
}

inline void render_views_on_vectors(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows,
                                    char* scratch) {
    const AugmentPlan& plan = *job.plan;
    const ScratchLayout layout = scratch_layout(plan);
    int32_t steps = plan.num_steps;
    Finish finish;
    if (steps > 0 && plan.steps[steps - 1].kind == AugmentKind::normalize) finish.normalization = &plan.steps[--steps];
    View view{};
    view.plan = &plan;
    view.tables = job.tables;
    view.layout = &layout;
    view.scratch = scratch;
    for (int64_t index = begin; index < end; ++index) {
        view.row = rows + (index - begin) * plan.row_words;
        open_view(view, job.images, job.ids[index]);
        for (int32_t s = 0; s < steps;) s = apply_step(view, s);
        store_view(view, finish, job.output, index);
    }
}

}  // namespace
}  // namespace rote
