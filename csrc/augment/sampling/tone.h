// augment/sampling/tone.h: blur, sharpness, RandAugment.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/rand_augment.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// constants: kernel width, height; sigma lo, hi; p. p at slot 0, sigma at 1.
ROTE_HD void draw_gaussian_blur(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    row[0] = random.uniform(0) < c[4];
    row[1] = float_word(float(uniform_between(random, 1, c[2], c[3])));
}

/// constants: factor lo, hi; p. p at slot 0, the factor at 1.
ROTE_HD void draw_sharpness(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    row[0] = random.uniform(0) < c[2];
    row[1] = float_word(float(uniform_between(random, 1, c[0], c[1])));
}

/// constants: number of operations, magnitude, bins, interpolation, fill, p. Place k: the operation at slot 2k, its
/// sign at 2k + 1. p at slot 16; where it says no, every place is the identity.
ROTE_HD void draw_rand_augment(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    const int32_t places = rand_places(step);
    const bool applied = c[5] >= 1.0 || random.uniform(2 * kMaxRandPlaces) < c[5];
    const double part = c[1] / (c[2] - 1.0);
    for (int32_t k = 0; k < places; ++k) {
        const uint32_t slot = 2 * uint32_t(k);
        const int32_t drawn = int32_t(random.integer(slot, kRandOperations));
        row[k] = applied ? drawn : 0;
        row[places + k] = float_word(
            rand_magnitude(RandOperation(row[k]), part, random.uniform(slot + 1) < 0.5, step.in_height, step.in_width));
    }
}

}  // namespace ROTE_LEVEL
}  // namespace rote
