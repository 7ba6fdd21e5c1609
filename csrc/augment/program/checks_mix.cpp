// augment/program/checks_mix.cpp: MixUp and CutMix.
#include "augment/meaning/row.h"
#include "augment/program/checks.h"
#include "augment/program/kinds.h"
#include "rote/error.h"

namespace rote {

void check_mix_step(const AugmentPlan&, AugmentStep& step) {
    const char* const name = augment_kind_name(step.kind);
    const double* const c = step.constants;
    ROTE_CHECK_ARG(c[0] > 0, name, ".alpha: wanted a positive number, got ", c[0]);
    check_probability(name, c[1]);
    ROTE_CHECK_ARG(c[2] >= 1 && c[2] < 2147483648.0 && c[2] == double(int64_t(c[2])), name,
                   ".partners: wanted a whole number in [1, 2^31), got ", c[2]);
}

void check_mix_row(const AugmentPlan& plan, const AugmentStep& step, const int32_t* row, int64_t view) {
    const int32_t* const f = row + step.row_offset;
    const int32_t height = step.in_height, width = step.in_width;
    check_field(f[0] >= 0, step, "partner", view, "an image of the bank");
    if (step.kind == AugmentKind::mixup) {
        const float weight = word_float(f[1]);
        check_field(weight >= 0.0f && weight <= 1.0f, step, "weight", view, "a weight in [0, 1]");
    } else {
        check_field(f[3] >= 0 && f[3] <= height, step, "height", view, "a box inside the image");
        check_field(f[4] >= 0 && f[4] <= width, step, "width", view, "a box inside the image");
        check_field(f[1] >= 0 && f[1] <= height - f[3], step, "top", view, "a box inside the image");
        check_field(f[2] >= 0 && f[2] <= width - f[4], step, "left", view, "a box inside the image");
    }
    const int32_t* const partner_row = f + step.row_words;
    for (const AugmentStep* before = plan.steps; before < &step; ++before)
        if (!mixes(before->kind)) check_step_row(plan, *before, partner_row, view);
}

void check_partners(const AugmentPlan& plan, const int32_t* rows, int64_t count, int64_t images) {
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        if (!mixes(step.kind)) continue;
        const char* const name = augment_kind_name(step.kind);
        if (!rows) {
            ROTE_CHECK_ARG(step.constants[2] <= double(images), name, ".partners: wanted at most ", images,
                           " (the number of images), got ", step.constants[2]);
            continue;
        }
        for (int64_t i = 0; i < count; ++i) {
            const int32_t partner = rows[i * plan.row_words + step.row_offset];
            ROTE_CHECK_ARG(partner >= 0 && partner < images, "params: ", name, ".partner of view ", i,
                           ": wanted an index in [0, ", images, ") (the number of images), got ", partner);
        }
    }
}

}  // namespace rote
