// augment/sampling/tone.h: blur, sharpness, RandAugment.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// constants: kernel width, height; sigma lo, hi; p.
ROTE_HD void draw_gaussian_blur(const AugmentStep&, AddressStream&, int32_t*) {}

/// constants: factor lo, hi; p.
ROTE_HD void draw_sharpness(const AugmentStep&, AddressStream&, int32_t*) {}

/// constants: number of operations, magnitude, bins, interpolation, fill.
ROTE_HD void draw_rand_augment(const AugmentStep&, AddressStream&, int32_t*) {}

}  // namespace ROTE_LEVEL
}  // namespace rote
