// augment/cpu/reference_image.h: the image of the oracle, and what each group of operations does to it. One operation
// after another, one pixel at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/meaning/affine.h"
#include "augment/program/kinds.h"
#include "rote/augment.h"

namespace rote {

struct ReferenceImage {
    int32_t channels, height, width;
    std::vector<float> pixels;  // [channels, height, width]

    ReferenceImage(int32_t c, int32_t h, int32_t w)
        : channels(c), height(h), width(w), pixels(size_t(c) * size_t(h) * w) {}
    float& at(int32_t c, int32_t y, int32_t x) { return pixels[(size_t(c) * height + y) * width + x]; }
    float at(int32_t c, int32_t y, int32_t x) const { return pixels[(size_t(c) * height + y) * width + x]; }
    float at_or_zero(int32_t c, int32_t y, int32_t x) const {
        return y >= 0 && y < height && x >= 0 && x < width ? at(c, y, x) : 0.0f;
    }
};

/// row: the parameter row of the view.
void apply_geometry(ReferenceImage& image, const AugmentStep& step, const int32_t* row);
void apply_affine(ReferenceImage& image, const AffineMap& map, const AffineSampling& sampling);
void apply_color(ReferenceImage& image, const AugmentStep& step, const int32_t* row);
void apply_tone(ReferenceImage& image, const AugmentStep& step, const int32_t* row);
void apply_noise(ReferenceImage& image, const AugmentStep& step, const int32_t* row);
/// `partner` has gone through the steps before this one with the row behind the step's fields.
void apply_mix(ReferenceImage& image, const ReferenceImage& partner, const AugmentStep& step, const int32_t* row);

}  // namespace rote
