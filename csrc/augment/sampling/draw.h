// augment/sampling/draw.h: how each operation draws its parameters. Slots are fixed forever
// (docs/augment-semantics.md).
#pragma once

#include "augment/sampling/affine.h"
#include "augment/sampling/crops.h"
#include "augment/sampling/jitter.h"
#include "augment/sampling/mix.h"
#include "augment/sampling/noise.h"
#include "augment/sampling/tone.h"
#include "rote/address.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// Draws one operation of one view from its own stream into its part of the row. Every operation owns a stream, so
/// steps can be drawn in any order or at the same time.
ROTE_HD void draw_step(const AugmentStep& step, AddressStream& random, int32_t* row) {
    int32_t* const fields = row + step.row_offset;
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            return draw_random_resized_crop(step, random, fields);
        case AugmentKind::random_crop:
            return draw_random_crop(step, random, fields);
        case AugmentKind::random_affine:
            return draw_random_affine(step, random, fields);
        case AugmentKind::random_rotation:
            return draw_random_rotation(step, random, fields);
        case AugmentKind::color_jitter:
            return draw_color_jitter(step, random, fields);
        case AugmentKind::horizontal_flip:
        case AugmentKind::vertical_flip:
        case AugmentKind::grayscale:
        case AugmentKind::invert:
        case AugmentKind::auto_contrast:
        case AugmentKind::equalize:
            fields[0] = random.uniform(0) < step.constants[0];
            return;
        case AugmentKind::solarize:
        case AugmentKind::posterize:
            fields[0] = random.uniform(0) < step.constants[1];
            return;
        case AugmentKind::alternating_flip:
            return draw_alternating_flip(step, random, fields);
        case AugmentKind::gaussian_blur:
            return draw_gaussian_blur(step, random, fields);
        case AugmentKind::sharpness:
            return draw_sharpness(step, random, fields);
        case AugmentKind::rand_augment:
            return draw_rand_augment(step, random, fields);
        case AugmentKind::random_erasing:
            return draw_random_erasing(step, random, fields);
        case AugmentKind::cutout:
            return draw_cutout(step, random, fields);
        case AugmentKind::gaussian_noise:
            return draw_gaussian_noise(step, random, fields);
        case AugmentKind::mixup:
            return draw_mixup(step, random, fields);
        case AugmentKind::cutmix:
            return draw_cutmix(step, random, fields);
        case AugmentKind::normalize:
        case AugmentKind::resize:
        case AugmentKind::center_crop:
            return;
    }
}

ROTE_HD void draw_step(const AugmentStep& step, uint64_t seed, uint64_t image, uint64_t view, int32_t* row) {
    AddressStream random = address_stream(seed, image, view, step.stream);
    draw_step(step, random, row);
}

/// A step of a partner's row: drawn like any other, except that a mixing operation mixes nothing there.
ROTE_HD void draw_unmixed_step(const AugmentStep& step, uint64_t seed, uint64_t image, uint64_t view, int32_t* row) {
    if (step.kind != AugmentKind::mixup && step.kind != AugmentKind::cutmix)
        return draw_step(step, seed, image, view, row);
    for (int32_t w = 0; w < step.row_words + step.row_offset; ++w) row[step.row_offset + w] = 0;
}

/// A whole row. A mixing operation is drawn with its partner's row behind its own fields: the
/// steps before it at (partner, view), in which nothing is mixed again.
ROTE_HD void draw_row(const AugmentPlan& plan, uint64_t seed, uint64_t image, uint64_t view, int32_t* row) {
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        draw_step(step, seed, image, view, row);
        if (step.kind != AugmentKind::mixup && step.kind != AugmentKind::cutmix) continue;
        const uint64_t partner = uint64_t(row[step.row_offset]);
        int32_t* const partner_row = row + step.row_offset + step.row_words;
        for (int32_t t = 0; t < s; ++t) draw_unmixed_step(plan.steps[t], seed, partner, view, partner_row);
    }
}

}  // namespace ROTE_LEVEL
}  // namespace rote
