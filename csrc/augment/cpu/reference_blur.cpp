// augment/cpu/reference_blur.cpp: the oracle's Gaussian blur and sharpness.
#include "augment/cpu/reference_tone.h"
#include "augment/meaning/blur.h"

namespace rote {

void gaussian_blur(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    const int32_t radius_x = blur_radius(step.constants[0]), radius_y = blur_radius(step.constants[1]);
    const float sigma = word_float(row[step.row_offset + 1]);
    std::vector<float> weights(size_t(radius_x > radius_y ? radius_x : radius_y) + 1);
    gaussian_weights(radius_x, sigma, weights.data());
    ReferenceImage narrow = image;
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) {
                float sum = blur_middle<float>(image.at(c, y, x), weights[0]);
                for (int32_t i = 1; i <= radius_x; ++i)
                    sum = blur_pair<float>(sum, image.at(c, y, reflected(x - i, image.width)),
                                           image.at(c, y, reflected(x + i, image.width)), weights[size_t(i)]);
                narrow.at(c, y, x) = sum;
            }
    gaussian_weights(radius_y, sigma, weights.data());
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) {
                float sum = blur_middle<float>(narrow.at(c, y, x), weights[0]);
                for (int32_t i = 1; i <= radius_y; ++i)
                    sum = blur_pair<float>(sum, narrow.at(c, reflected(y - i, image.height), x),
                                           narrow.at(c, reflected(y + i, image.height), x), weights[size_t(i)]);
                image.at(c, y, x) = sum;
            }
}

void sharpen_image(ReferenceImage& image, float factor) {
    if (!can_sharpen(image.height, image.width)) return;
    ReferenceImage out = image;
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) {
                const auto three_at = [&](int32_t row) {
                    return three<float>(image.at(c, row, x - 1), image.at(c, row, x), image.at(c, row, x + 1));
                };
                const bool inside = y > 0 && x > 0 && y < image.height - 1 && x < image.width - 1;
                const float pixel = image.at(c, y, x);
                out.at(c, y, x) = inside ? sharpen<float>(pixel, three_at(y - 1), three_at(y), three_at(y + 1), factor)
                                         : clamp_unit<float>(pixel);
            }
    image = out;
}

}  // namespace rote
