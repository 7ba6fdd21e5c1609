// augment/meaning/rand_augment.h: the operations of RandAugment, their magnitudes and their affine maps.
#pragma once

#include "augment/meaning/affine.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// In torchvision's order. The numbers are fields of parameter rows and never change.
enum class RandOperation : int32_t {
    identity = 0,
    shear_x = 1,
    shear_y = 2,
    translate_x = 3,
    translate_y = 4,
    rotate = 5,
    brightness = 6,
    color = 7,
    contrast = 8,
    sharpness = 9,
    posterize = 10,
    solarize = 11,
    auto_contrast = 12,
    equalize = 13,
};

constexpr int32_t kRandOperations = 14;
constexpr int32_t kMaxRandPlaces = 8;

/// The magnitude of an operation at `part` (in [0, 1]) of the way along its scale: for shears the slope, for
/// translations whole pixels, for a rotation degrees, for posterize bits, for solarize the threshold, for factors what
/// is added to 1.
ROTE_HD float rand_magnitude(RandOperation operation, double part, bool negative, int32_t height, int32_t width) {
    double value = 0.0;
    switch (operation) {
        case RandOperation::shear_x:
        case RandOperation::shear_y:
            value = 0.3 * part;
            break;
        case RandOperation::translate_x:
            value = double(int32_t(float(150.0 / 331.0 * double(width) * part)));
            break;
        case RandOperation::translate_y:
            value = double(int32_t(float(150.0 / 331.0 * double(height) * part)));
            break;
        case RandOperation::rotate:
            value = 30.0 * part;
            break;
        case RandOperation::brightness:
        case RandOperation::color:
        case RandOperation::contrast:
        case RandOperation::sharpness:
            value = 0.9 * part;
            break;
        case RandOperation::posterize:
            return float(round_half_even(8.0 - 4.0 * part));
        case RandOperation::solarize:
            return float(1.0 - part);
        case RandOperation::identity:
        case RandOperation::auto_contrast:
        case RandOperation::equalize:
            return 0.0f;
    }
    return float(negative ? 0.0 - value : value);
}

/// One place of a RandAugment in a row: the operation numbers stand first, then the magnitudes.
struct RandPlace {
    RandOperation operation;
    float magnitude;
};

ROTE_HD int32_t rand_places(const AugmentStep& step) {
    return int32_t(step.constants[0]);
}

ROTE_HD RandPlace rand_place(const AugmentStep& step, const int32_t* row, int32_t place) {
    const int32_t* fields = row + step.row_offset;
    return {RandOperation(clamp_int(fields[place], 0, kRandOperations - 1)),
            word_float(fields[rand_places(step) + place])};
}

ROTE_HD float rand_factor(float magnitude) {
    return float(1.0 + double(magnitude));
}

ROTE_HD bool is_map(RandOperation operation) {
    return operation >= RandOperation::shear_x && operation <= RandOperation::rotate;
}

ROTE_HD AffineSampling rand_sampling(const AugmentStep& step) {
    return {step.constants[3] != 0.0, float(step.constants[4])};
}

/// Shears keep the image's upper left corner in place (half a pixel outside the first pixel's middle), a rotation
/// keeps the centre and turns counter-clockwise.
ROTE_HD AffineMap rand_map(RandOperation operation, float magnitude, int32_t height, int32_t width) {
    const double m = magnitude;
    double xx = 1.0, xy = 0.0, x0 = 0.0;  // x of the source = x0 + xx * column + xy * row
    double yx = 0.0, yy = 1.0, y0 = 0.0;
    if (operation == RandOperation::shear_x) {
        xy = m;
        x0 = 0.5 * m;
    } else if (operation == RandOperation::shear_y) {
        yx = m;
        y0 = 0.5 * m;
    } else if (operation == RandOperation::translate_x) {
        x0 = 0.0 - m;
    } else if (operation == RandOperation::translate_y) {
        y0 = 0.0 - m;
    } else {
        const SinCos turn = sincos_degrees(m);
        const double cx = 0.5 * double(width - 1), cy = 0.5 * double(height - 1);
        xx = yy = turn.cos;
        xy = 0.0 - turn.sin;
        yx = turn.sin;
        x0 = (cx - turn.cos * cx) + turn.sin * cy;
        y0 = (cy - turn.cos * cy) - turn.sin * cx;
    }
    constexpr double kStepLimit = 32768.0, kOriginLimit = 536870912.0;  // keeps every coordinate inside 32.32
    AffineMap map;
    map.x_per_column = to_fixed(xx, kStepLimit);
    map.x_per_row = to_fixed(xy, kStepLimit);
    map.y_per_column = to_fixed(yx, kStepLimit);
    map.y_per_row = to_fixed(yy, kStepLimit);
    map.x0 = to_fixed(x0, kOriginLimit);
    map.y0 = to_fixed(y0, kOriginLimit);
    return map;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
