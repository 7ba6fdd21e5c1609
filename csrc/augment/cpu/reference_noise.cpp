// augment/cpu/reference_noise.cpp: the oracle's erasing, cutout and noise.
#include "augment/cpu/reference_image.h"

namespace rote {

void apply_noise(ReferenceImage&, const AugmentStep&, const int32_t*) {}

}  // namespace rote
