// augment/cpu/reference_mix.cpp: the oracle's MixUp and CutMix.
#include "augment/cpu/reference_image.h"
#include "augment/meaning/mix.h"

namespace rote {

void apply_mix(ReferenceImage& image, const ReferenceImage& partner, const AugmentStep& step, const int32_t* row) {
    const MixParameters mix = mix_parameters(step, row);
    if (!mix.acts()) return;
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) {
                float& pixel = image.at(c, y, x);
                const float other = partner.at(c, y, x);
                if (mix.everywhere)
                    pixel = mixed<float>(pixel, other, mix.weight, 1.0f - mix.weight);
                else if (mix.box.holds(y, x))
                    pixel = other;
            }
}

}  // namespace rote
