// augment/meaning/windows.h: crop windows and padding.
#pragma once

#include "augment/meaning/row.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

struct CropWindow {
    int32_t top, left, height, width;
};

/// The part of its input that a RandomResizedCrop or a Resize (all of it) resizes.
ROTE_HD CropWindow crop_window(const AugmentStep& step, const int32_t* row) {
    if (step.kind == AugmentKind::resize) return {0, 0, step.in_height, step.in_width};
    const int32_t* fields = row + step.row_offset;
    CropWindow window;
    window.height = clamp_int(fields[2], 1, step.in_height);
    window.width = clamp_int(fields[3], 1, step.in_width);
    window.top = clamp_int(fields[0], 0, step.in_height - window.height);
    window.left = clamp_int(fields[1], 0, step.in_width - window.width);
    return window;
}

/// Where a CenterCrop begins, as torchvision rounds it: half a pixel goes to the even side, and of an odd padding the
/// larger half lies behind the image.
ROTE_HD int32_t central_start(int32_t extent, int32_t out) {
    if (out > extent) return -((out - extent) / 2);
    const int32_t slack = extent - out, half = slack / 2;
    return half + (slack & half & 1);
}

/// The window of a RandomCrop or CenterCrop in its input's coordinates, so that top and left may be negative (padding).
ROTE_HD CropWindow padded_window(const AugmentStep& step, const int32_t* row) {
    if (step.kind == AugmentKind::center_crop)
        return {central_start(step.in_height, step.out_height), central_start(step.in_width, step.out_width),
                step.out_height, step.out_width};
    const int32_t* fields = row + step.row_offset;
    const int32_t padding = int32_t(step.constants[0]);
    CropWindow window;
    window.height = step.out_height;
    window.width = step.out_width;
    window.top = clamp_int(fields[0], 0, step.in_height + 2 * padding - step.out_height) - padding;
    window.left = clamp_int(fields[1], 0, step.in_width + 2 * padding - step.out_width) - padding;
    return window;
}

struct Padding {
    int32_t mode;  ///< 0 constant, 1 edge, 2 reflect, 3 symmetric
    float fill;
};

/// Of a RandomCrop or CenterCrop (zeros).
ROTE_HD Padding padding_of(const AugmentStep& step) {
    if (step.kind == AugmentKind::center_crop) return {0, 0.0f};
    return {int32_t(step.constants[1]), float(step.constants[2])};
}

/// Source index of a padded coordinate, -1 where the fill stands.
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
