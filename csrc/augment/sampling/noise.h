// augment/sampling/noise.h: erasing, cutout, noise.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// constants: p; scale lo, hi; ratio lo, hi; mode (0 value, 1 noise); value x 3.
ROTE_HD void draw_random_erasing(const AugmentStep&, AddressStream&, int32_t*) {}

/// constants: height, width; inside 0 or 1; value x 3; p.
ROTE_HD void draw_cutout(const AugmentStep&, AddressStream&, int32_t*) {}

/// constants: mean, sigma, clip 0 or 1, p.
ROTE_HD void draw_gaussian_noise(const AugmentStep&, AddressStream&, int32_t*) {}

}  // namespace ROTE_LEVEL
}  // namespace rote
