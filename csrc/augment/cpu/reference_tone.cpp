// augment/cpu/reference_tone.cpp: the oracle's solarize, posterize, invert, auto-contrast and equalize, and which
// operation of the group a step is.
#include "augment/cpu/reference_tone.h"

#include "augment/meaning/row.h"
#include "augment/meaning/tone.h"

namespace rote {

void solarize_image(ReferenceImage& image, float threshold) {
    for (float& x : image.pixels) x = solarize<float>(x, threshold);
}

void posterize_image(ReferenceImage& image, double bits) {
    for (float& x : image.pixels) x = posterize<float>(x, posterize_levels(bits));
}

void auto_contrast_image(ReferenceImage& image) {
    const size_t plane = size_t(image.height) * image.width;
    for (size_t c = 0; c < size_t(image.channels); ++c) {
        float* const pixels = image.pixels.data() + c * plane;
        float least = pixels[0], greatest = pixels[0];
        for (size_t p = 1; p < plane; ++p) {
            least = pixels[p] < least ? pixels[p] : least;
            greatest = pixels[p] > greatest ? pixels[p] : greatest;
        }
        const Stretch by = stretch_of(least, greatest);
        for (size_t p = 0; p < plane; ++p) pixels[p] = stretch<float>(pixels[p], by);
    }
}

void equalize_image(ReferenceImage& image) {
    const size_t plane = size_t(image.height) * image.width;
    for (size_t c = 0; c < size_t(image.channels); ++c) {
        float* const pixels = image.pixels.data() + c * plane;
        std::vector<int32_t> bytes(plane), below(257);
        int32_t greatest = 0, pixels_of_greatest = 0;
        for (size_t p = 0; p < plane; ++p) {
            bytes[p] = int32_t(byte_of<float>(pixels[p]));
            greatest = bytes[p] > greatest ? bytes[p] : greatest;
            ++below[size_t(bytes[p]) + 1];
        }
        for (int32_t byte : bytes) pixels_of_greatest += byte == greatest;
        for (size_t byte = 1; byte < 257; ++byte) below[byte] += below[byte - 1];
        const int32_t step = equalize_step(int32_t(plane), pixels_of_greatest);
        for (size_t p = 0; p < plane; ++p) {
            const int32_t level = step == 0 ? bytes[p] : equalize_level(below[size_t(bytes[p])], step);
            pixels[p] = unit_from_byte<float>(float(level));
        }
    }
}

void apply_tone(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    if (step.kind == AugmentKind::rand_augment) return rand_augment(image, step, row);
    if (row[step.row_offset] == 0) return;
    switch (step.kind) {
        case AugmentKind::gaussian_blur:
            return gaussian_blur(image, step, row);
        case AugmentKind::solarize:
            return solarize_image(image, float(step.constants[0]));
        case AugmentKind::posterize:
            return posterize_image(image, step.constants[0]);
        case AugmentKind::invert:
            for (float& x : image.pixels) x = invert<float>(x);
            return;
        case AugmentKind::sharpness:
            return sharpen_image(image, word_float(row[step.row_offset + 1]));
        case AugmentKind::auto_contrast:
            return auto_contrast_image(image);
        case AugmentKind::equalize:
            return equalize_image(image);
        default:
            return;
    }
}

}  // namespace rote
