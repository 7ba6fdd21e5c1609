// augment/meaning/windows.h: crop windows and padding.
#pragma once

#include "augment/meaning/row.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

struct CropWindow {
    int32_t top, left, height, width;
};

/// The window of a RandomResizedCrop in its input.
ROTE_HD CropWindow crop_window(const AugmentStep& step, const int32_t* row) {
    const int32_t* fields = row + step.row_offset;
    CropWindow window;
    window.height = clamp_int(fields[2], 1, step.in_height);
    window.width = clamp_int(fields[3], 1, step.in_width);
    window.top = clamp_int(fields[0], 0, step.in_height - window.height);
    window.left = clamp_int(fields[1], 0, step.in_width - window.width);
    return window;
}

/// The window of a RandomCrop in its input's coordinates, so that top and left may be negative (padding).
ROTE_HD CropWindow padded_window(const AugmentStep& step, const int32_t* row) {
    const int32_t* fields = row + step.row_offset;
    const int32_t padding = int32_t(step.constants[0]);
    CropWindow window;
    window.height = step.out_height;
    window.width = step.out_width;
    window.top = clamp_int(fields[0], 0, step.in_height + 2 * padding - step.out_height) - padding;
    window.left = clamp_int(fields[1], 0, step.in_width + 2 * padding - step.out_width) - padding;
    return window;
}

/// Source index of a padded coordinate, -1 where the fill stands. mode: 0 constant, 1 edge, 2 reflect, 3 symmetric.
ROTE_HD int32_t padded_index(int32_t position, int32_t extent, int32_t mode) {
    if (position >= 0 && position < extent) return position;
    switch (mode) {
        case 1:
            return position < 0 ? 0 : extent - 1;
        case 2:
            return position < 0 ? -position : 2 * (extent - 1) - position;
        case 3:
            return position < 0 ? -position - 1 : 2 * extent - 1 - position;
        default:
            return -1;
    }
}

}  // namespace ROTE_LEVEL
}  // namespace rote
