// augment/meaning/erase.h: which pixels RandomErasing and Cutout replace, and by what.
#pragma once

#include <cstdint>

#include "augment/meaning/noise.h"
#include "augment/meaning/row.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// Rows top .. bottom - 1 and columns left .. right - 1, inside the image; empty boxes have bottom = top or right =
/// left.
struct PixelBox {
    int32_t top, left, bottom, right;

    ROTE_HD bool empty() const { return bottom <= top || right <= left; }
    ROTE_HD bool holds(int32_t y, int32_t x) const { return y >= top && y < bottom && x >= left && x < right; }
};

/// The part inside the image of a box that may begin before it or end behind it.
ROTE_HD PixelBox clipped_box(int32_t top, int32_t left, int32_t height, int32_t width, int32_t image_height,
                             int32_t image_width) {
    const int64_t bottom = int64_t(top) + (height > 0 ? height : 0), right = int64_t(left) + (width > 0 ? width : 0);
    PixelBox box;
    box.top = clamp_int(top, 0, image_height);
    box.left = clamp_int(left, 0, image_width);
    box.bottom = bottom > image_height ? image_height : clamp_int(int32_t(bottom), 0, image_height);
    box.right = right > image_width ? image_width : clamp_int(int32_t(right), 0, image_width);
    return box;
}

/// A box filled with one value per channel, or with normals: element (y - top) (right - left) + x - left of the
/// channel.
struct EraseParameters {
    bool applied, noise;
    PixelBox box;
    float values[3];
    NoiseKey key;

    ROTE_HD float value(int32_t channel) const { return values[channel < 3 ? channel : 2]; }
    ROTE_HD int32_t element(int32_t y, int32_t x) const {
        return (y - box.top) * (box.right - box.left) + (x - box.left);
    }
    ROTE_HD float pixel(int32_t channel, int32_t y, int32_t x) const {
        return noise ? standard_normal(key, channel, element(y, x)) : value(channel);
    }
};

ROTE_HD EraseParameters erasing_parameters(const AugmentStep& step, const int32_t* row) {
    const int32_t* const fields = row + step.row_offset;
    const double* const c = step.constants;
    EraseParameters erase;
    erase.applied = fields[0] != 0;
    erase.noise = c[5] != 0;
    erase.box = clipped_box(fields[1], fields[2], fields[3], fields[4], step.in_height, step.in_width);
    for (int32_t i = 0; i < 3; ++i) erase.values[i] = float(c[6 + i]);
    erase.key = noise_key(fields + 5);
    return erase;
}

ROTE_HD EraseParameters cutout_parameters(const AugmentStep& step, const int32_t* row) {
    const int32_t* const fields = row + step.row_offset;
    const double* const c = step.constants;
    EraseParameters erase;
    erase.applied = fields[0] != 0;
    erase.noise = false;
    erase.box = clipped_box(fields[1], fields[2], int32_t(c[0]), int32_t(c[1]), step.in_height, step.in_width);
    for (int32_t i = 0; i < 3; ++i) erase.values[i] = float(c[3 + i]);
    erase.key = {0, 0};
    return erase;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
