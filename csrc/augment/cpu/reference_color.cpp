// augment/cpu/reference_color.cpp: the oracle's colour jitter, grey and normalization.
#include "augment/cpu/reference_image.h"
#include "augment/meaning/color.h"
#include "augment/meaning/jitter.h"

namespace rote {
namespace {

float grey_at(const ReferenceImage& image, size_t pixel) {
    const size_t plane = size_t(image.height) * image.width;
    if (image.channels == 1) return image.pixels[pixel];
    return grey_of<float>(image.pixels[pixel], image.pixels[plane + pixel], image.pixels[2 * plane + pixel]);
}

void adjust_contrast(ReferenceImage& image, float factor, bool unbounded) {
    const size_t plane = size_t(image.height) * image.width;
    int64_t sum = 0;
    for (size_t p = 0; p < plane; ++p) {
        const float grey = grey_at(image, p);
        sum += int32_t((unbounded ? bounded_grey<float>(grey) : grey) * kGreyScale);
    }
    const float part = contrast_part(sum, int64_t(plane), factor);
    for (float& x : image.pixels) x = blend<float>(x, factor, part);
}

void color_jitter(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    const JitterParameters jitter = jitter_parameters(step, row);
    if (!jitter.applied) return;
    const size_t plane = size_t(image.height) * image.width;
    float* r = image.pixels.data();
    float* g = r + plane;
    float* b = g + plane;
    for (int32_t which : jitter.order) {
        if (which == 0 && jitter.brightness != 1.0f)
            for (float& x : image.pixels) x = adjust_brightness<float>(x, jitter.brightness);
        if (which == 1 && jitter.contrast != 1.0f) adjust_contrast(image, jitter.contrast, jitter.unbounded);
        if (image.channels != 3) continue;
        if (which == 2 && jitter.saturation != 1.0f)
            for (size_t p = 0; p < plane; ++p) adjust_saturation<float>(r[p], g[p], b[p], jitter.saturation);
        if (which != 3 || jitter.hue == 0.0f) continue;
        const auto adjust = jitter.unbounded ? adjust_hue<float, true> : adjust_hue<float, false>;
        for (size_t p = 0; p < plane; ++p) adjust(r[p], g[p], b[p], hue_sextants(jitter.hue));
    }
}

void grayscale(ReferenceImage& image) {
    if (image.channels != 3) return;
    const size_t plane = size_t(image.height) * image.width;
    for (size_t p = 0; p < plane; ++p) {
        const float grey = grey_at(image, p);
        for (size_t c = 0; c < 3; ++c) image.pixels[c * plane + p] = grey;
    }
}

void normalize_image(ReferenceImage& image, const AugmentStep& step) {
    const size_t plane = size_t(image.height) * image.width;
    for (size_t c = 0; c < size_t(image.channels); ++c)
        for (size_t p = 0; p < plane; ++p) {
            float& x = image.pixels[c * plane + p];
            x = normalize<float>(x, float(step.constants[c]), float(step.constants[3 + c]));
        }
}

}  // namespace

void apply_color(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    switch (step.kind) {
        case AugmentKind::color_jitter:
            return color_jitter(image, step, row);
        case AugmentKind::grayscale:
            if (row[step.row_offset] != 0) grayscale(image);
            return;
        case AugmentKind::normalize:
            return normalize_image(image, step);
        default:
            return;
    }
}

}  // namespace rote
