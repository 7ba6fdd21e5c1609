// augment/cpu/reference_tone.h: the oracle's blur and tone operations, which RandAugment uses as well.
#pragma once

#include "augment/cpu/reference_image.h"

namespace rote {

void gaussian_blur(ReferenceImage& image, const AugmentStep& step, const int32_t* row);
void sharpen_image(ReferenceImage& image, float factor);

void solarize_image(ReferenceImage& image, float threshold);
void posterize_image(ReferenceImage& image, double bits);
void auto_contrast_image(ReferenceImage& image);
void equalize_image(ReferenceImage& image);

void rand_augment(ReferenceImage& image, const AugmentStep& step, const int32_t* row);

}  // namespace rote
