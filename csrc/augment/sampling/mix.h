// augment/sampling/mix.h: MixUp and CutMix: partners, weights, boxes.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// constants: alpha, p, partners.
ROTE_HD void draw_mixup(const AugmentStep&, AddressStream&, int32_t*) {}

/// constants: alpha, p, partners.
ROTE_HD void draw_cutmix(const AugmentStep&, AddressStream&, int32_t*) {}

}  // namespace ROTE_LEVEL
}  // namespace rote
