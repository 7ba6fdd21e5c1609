// augment/sampling/affine.h: random affine maps and rotations.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// constants: degrees, translate fractions, scale, shear ranges (docs/augment-semantics.md). Translation in whole
/// pixels.
ROTE_HD void draw_random_affine(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    const double reach_x = c[2] * double(step.in_width), reach_y = c[3] * double(step.in_height);
    row[0] = float_word(float(uniform_between(random, 0, c[0], c[1])));
    row[1] = int32_t(round_half_even(uniform_between(random, 1, -reach_x, reach_x)));
    row[2] = int32_t(round_half_even(uniform_between(random, 2, -reach_y, reach_y)));
    row[3] = float_word(float(uniform_between(random, 3, c[4], c[5])));
    row[4] = float_word(float(uniform_between(random, 4, c[6], c[7])));
    row[5] = float_word(float(uniform_between(random, 5, c[8], c[9])));
    if (c[12] < 1.0 && random.uniform(6) >= c[12]) {  // p: the identity, which moves nothing
        row[0] = row[4] = row[5] = 0;
        row[1] = row[2] = 0;
        row[3] = float_word(1.0f);
    }
}

/// constants: degrees lo, hi; interpolation; fill; p. p at slot 1.
ROTE_HD void draw_random_rotation(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    row[0] = float_word(float(uniform_between(random, 0, c[0], c[1])));
    if (c[4] < 1.0 && random.uniform(1) >= c[4]) row[0] = 0;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
