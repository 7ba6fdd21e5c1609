// augment/meaning/affine.h: where the pixels of an affine map come from.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// Source coordinates of an affine map in 32.32 fixed point: x = x0 + j * x_per_column + i * x_per_row.
/// Integers, so that walking along a row and computing a pixel alone agree.
struct AffineMap {
    int64_t x0, x_per_column, x_per_row;
    int64_t y0, y_per_column, y_per_row;
};

ROTE_HD int64_t to_fixed(double value, double limit) {
    value = value > -limit ? value : -limit;  // also where value is NaN
    value = value < limit ? value : limit;
    return int64_t(value * 4294967296.0);
}

/// What torchvision's affine takes: degrees (positive turns clockwise on the screen), pixels, a factor, degrees; the
/// centre in pixel indices.
struct AffineParameters {
    double angle, translate_x, translate_y, scale, shear_x, shear_y;
    double centre_x, centre_y;
};

/// torchvision's inverse matrix about the centre: inverse of T * R(angle) * scale * Shy * Shx.
ROTE_HD AffineMap affine_map_of(const AffineParameters& p) {
    const SinCos rotation = sincos_degrees(p.angle), sheared = sincos_degrees(p.angle - p.shear_y);
    const SinCos sx = sincos_degrees(p.shear_x), sy = sincos_degrees(p.shear_y);
    const double tan_sx = sx.sin / sx.cos;
    const double a = sheared.cos / sy.cos;
    const double b = -(a * tan_sx + rotation.sin);
    const double c = sheared.sin / sy.cos;
    const double d = rotation.cos - c * tan_sx;
    const double m0 = d / p.scale, m1 = -b / p.scale, m3 = -c / p.scale, m4 = a / p.scale;
    const double tx = p.translate_x, ty = p.translate_y, cx = p.centre_x, cy = p.centre_y;
    constexpr double kStepLimit = 32768.0, kOriginLimit = 536870912.0;  // keeps every coordinate inside 32.32
    AffineMap map;
    map.x_per_column = to_fixed(m0, kStepLimit);
    map.x_per_row = to_fixed(m1, kStepLimit);
    map.y_per_column = to_fixed(m3, kStepLimit);
    map.y_per_row = to_fixed(m4, kStepLimit);
    map.x0 = to_fixed((cx - m0 * (cx + tx)) - m1 * (cy + ty), kOriginLimit);
    map.y0 = to_fixed((cy - m3 * (cx + tx)) - m4 * (cy + ty), kOriginLimit);
    return map;
}

/// The map of a RandomAffine or RandomRotation about the image centre. torchvision's rotate turns the other way round.
ROTE_HD AffineMap affine_map(const AugmentStep& step, const int32_t* row) {
    const int32_t* fields = row + step.row_offset;
    const double cx = 0.5 * double(step.in_width - 1), cy = 0.5 * double(step.in_height - 1);
    if (step.kind == AugmentKind::random_rotation)
        return affine_map_of({-double(word_float(fields[0])), 0.0, 0.0, 1.0, 0.0, 0.0, cx, cy});
    return affine_map_of({word_float(fields[0]), double(fields[1]), double(fields[2]), word_float(fields[3]),
                          word_float(fields[4]), word_float(fields[5]), cx, cy});
}

/// A map that moves nothing leaves the image untouched, to the bit.
ROTE_HD bool is_identity(const AffineMap& map) {
    constexpr int64_t kOne = int64_t(1) << 32;
    return map.x0 == 0 && map.y0 == 0 && map.x_per_column == kOne && map.y_per_row == kOne && map.x_per_row == 0 &&
           map.y_per_column == 0;
}

struct AffineSampling {
    bool bilinear;  ///< else nearest
    float fill;     ///< outside the image
};

/// Of a RandomAffine or RandomRotation.
ROTE_HD AffineSampling affine_sampling(const AugmentStep& step) {
    const double* const c = step.constants + (step.kind == AugmentKind::random_rotation ? 2 : 10);
    return {c[0] != 0.0, float(c[1])};
}

/// The pixel a fixed-point coordinate lies in (nearest), or left of (bilinear), and the rest in [0, 1) on 24 bits.
ROTE_HD int32_t fixed_nearest(int64_t x) {
    return int32_t((x + (int64_t(1) << 31)) >> 32);
}
ROTE_HD int32_t fixed_floor(int64_t x) {
    return int32_t(x >> 32);
}
ROTE_HD float fixed_rest(int64_t x) {
    return float(int32_t(uint32_t(x) >> 8)) * (1.0f / 16777216.0f);
}

}  // namespace ROTE_LEVEL
}  // namespace rote
