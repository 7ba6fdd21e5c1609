// augment/geometry.h: where output pixels come from: crop windows, padding, resize taps, affine maps.
//
// Parameters are made safe here: whatever a row holds, no index leaves the image. (The CPU entry refuses bad rows with
// an error before; on the device this is the protection.)
#pragma once

#include "augment/math.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

ROTE_HD int32_t clamp_int(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : (value > high ? high : value);
}

ROTE_HD float word_float(int32_t word) {
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

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

/// Taps per output pixel when `extent` pixels become `out`: 2, or more when shrinking (antialias widens the filter).
ROTE_HD int32_t tap_count(int32_t extent, int32_t out) {
    if (extent <= out) return 2;
    return int32_t(2.0 * (double(extent) / double(out))) + 2;
}

/// First source index and weights of output pixel d: the triangle filter of torch's antialiased bilinear resize, in
/// float64, normalized to sum 1, rounded once. Tap t reads source min(first + t, extent - 1); taps beyond the filter
/// weigh 0. For extent <= out this is plain bilinear interpolation with half-pixel centres.
ROTE_HD int32_t resize_taps(int32_t extent, int32_t out, int32_t d, int32_t taps, float* weights, int64_t stride) {
    const double scale = double(extent) / double(out);
    const double support = scale > 1.0 ? scale : 1.0;
    const double centre = scale * (double(d) + 0.5);
    const int32_t first = centre - support + 0.5 > 0.0 ? int32_t(centre - support + 0.5) : 0;
    int32_t last = int32_t(centre + support + 0.5);
    last = last > extent ? extent : last;
    last = last > first + taps ? first + taps : last;
    double total = 0.0;
    for (int32_t j = first; j < last; ++j) {
        const double distance = (double(j) - centre + 0.5) / support;
        const double weight = 1.0 - (distance < 0.0 ? -distance : distance);
        total = total + (weight > 0.0 ? weight : 0.0);
    }
    for (int32_t t = 0; t < taps; ++t) {
        const int32_t j = first + t;
        const double distance = (double(j) - centre + 0.5) / support;
        const double weight = 1.0 - (distance < 0.0 ? -distance : distance);
        weights[t * stride] = j < last && weight > 0.0 ? float(weight / total) : 0.0f;
    }
    return first;
}

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

/// torchvision's inverse matrix of RandomAffine about the image centre: inverse of T * R(angle) * scale * Shy * Shx.
ROTE_HD AffineMap affine_map(const AugmentStep& step, const int32_t* row) {
    const int32_t* fields = row + step.row_offset;
    const double angle = word_float(fields[0]), scale = word_float(fields[3]);
    const double shear_x = word_float(fields[4]), shear_y = word_float(fields[5]);
    const SinCos rotation = sincos_degrees(angle), sheared = sincos_degrees(angle - shear_y);
    const SinCos sx = sincos_degrees(shear_x), sy = sincos_degrees(shear_y);
    const double tan_sx = sx.sin / sx.cos;
    const double a = sheared.cos / sy.cos;
    const double b = -(a * tan_sx + rotation.sin);
    const double c = sheared.sin / sy.cos;
    const double d = rotation.cos - c * tan_sx;
    const double m0 = d / scale, m1 = -b / scale, m3 = -c / scale, m4 = a / scale;
    const double tx = double(fields[1]), ty = double(fields[2]);
    const double cx = 0.5 * double(step.in_width - 1), cy = 0.5 * double(step.in_height - 1);
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

struct JitterParameters {
    bool applied;
    int32_t order[4];
    float brightness, contrast, saturation, hue;
};

ROTE_HD JitterParameters jitter_parameters(const AugmentStep& step, const int32_t* row) {
    const int32_t* fields = row + step.row_offset;
    JitterParameters jitter;
    jitter.applied = fields[0] != 0;
    for (int32_t i = 0; i < 4; ++i) jitter.order[i] = fields[1 + i] & 3;
    jitter.brightness = word_float(fields[5]);
    jitter.contrast = word_float(fields[6]);
    jitter.saturation = word_float(fields[7]);
    jitter.hue = word_float(fields[8]);
    return jitter;
}

/// The hue shift in sextants of the circle, inside [-3, 3].
ROTE_HD float hue_sextants(float hue) {
    hue = hue > -0.5f ? hue : -0.5f;
    return (hue < 0.5f ? hue : 0.5f) * 6.0f;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
