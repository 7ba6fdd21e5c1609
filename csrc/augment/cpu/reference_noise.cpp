// augment/cpu/reference_noise.cpp: the oracle's erasing, cutout and noise.
#include "augment/cpu/reference_image.h"
#include "augment/meaning/erase.h"
#include "augment/meaning/noise.h"

namespace rote {
namespace {

void erase(ReferenceImage& image, const EraseParameters& erase) {
    if (!erase.applied) return;
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x)
                if (erase.box.holds(y, x)) image.at(c, y, x) = erase.pixel(c, y, x);
}

void gaussian_noise(ReferenceImage& image, const NoiseParameters& noise) {
    if (!noise.applied) return;
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) {
                const float z = standard_normal(noise.key, c, y * image.width + x);
                image.at(c, y, x) = add_noise<float>(image.at(c, y, x), z, noise);
            }
}

}  // namespace

void apply_noise(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    switch (step.kind) {
        case AugmentKind::random_erasing:
            return erase(image, erasing_parameters(step, row));
        case AugmentKind::cutout:
            return erase(image, cutout_parameters(step, row));
        case AugmentKind::gaussian_noise:
            return gaussian_noise(image, noise_parameters(step, row));
        default:
            return;
    }
}

}  // namespace rote
