// augment/meaning/color.h: what every operation does to a pixel. All executors compute exactly these expressions.
//
// V is float in the oracle and on the device, and a vector of floats in the SIMD executors; comparisons of vectors give
// lane masks, and mask ? a : b selects. Only + - * / and compare-and-select: no fma, no libm, no reordering.
#pragma once

#include <cstdint>

#include "rote/host_device.h"
#include "rote/level.h"

namespace rote {
inline namespace ROTE_LEVEL {

constexpr float kGreyRed = 0.2989f, kGreyGreen = 0.587f, kGreyBlue = 0.114f;
constexpr float kByteUnitHigh = 0x1.01p-8f, kByteUnitLow = 0x1.010102p-24f;  // their sum is 1/255
constexpr float kGreyScale = 16777216.0f;  // image means sum grey * 2^24, truncated, as integers

template <class V>
ROTE_HD V splat(float value) {
    return V{} + value;
}

/// The max and min instructions of every executor: the second of equals, and of NaN and a number.
template <class V>
ROTE_HD V greatest(V a, V b) {
    return a > b ? a : b;
}
template <class V>
ROTE_HD V least(V a, V b) {
    return a < b ? a : b;
}

/// Clamps to [0, 1]. NaN becomes 0.
template <class V>
ROTE_HD V clamp_unit(V x) {
    return least<V>(greatest<V>(x, splat<V>(0.0f)), splat<V>(1.0f));
}

/// mask ? a : b, also for vectors that the language does not know.
template <class Mask, class V>
ROTE_HD V choose(Mask mask, V a, V b) {
    return mask ? a : b;
}

/// a + b and a - b where they may take turns with other sums: vector executors have these done by the multiplier.
template <class V>
ROTE_HD V sum_apart(V a, V b) {
    return a + b;
}
template <class V>
ROTE_HD V difference_apart(V a, V b) {
    return a - b;
}

/// Clamps numbers that cannot be negative.
template <class V>
ROTE_HD V clamp_to_one(V x) {
    return least<V>(x, splat<V>(1.0f));
}

/// |x| by clearing the sign bit.
template <class V>
ROTE_HD V magnitude(V x) {
    if constexpr (sizeof(V) == sizeof(float))
        return x < 0.0f ? -x : x;
    else
        return (V)((decltype(x < x))x & 0x7fffffff);
}

/// x / 255 correctly rounded, for integral x in [0, 255]: 1/255 in two parts, of which the first times x is exact.
template <class V>
ROTE_HD V unit_from_byte(V x) {
    return x * kByteUnitHigh + x * kByteUnitLow;
}

template <class V>
ROTE_HD V grey_of(V r, V g, V b) {
    return (r * kGreyRed + g * kGreyGreen) + b * kGreyBlue;
}

template <class V>
ROTE_HD V adjust_brightness(V x, float factor) {
    return clamp_unit<V>(x * factor);
}

/// factor * x + (1 - factor) * other, clamped; `other_part` is (1 - factor) * other.
template <class V>
ROTE_HD V blend(V x, float factor, V other_part) {
    return clamp_unit<V>(sum_apart<V>(x * factor, other_part));
}

/// The constant part of the contrast blend: the image's grey mean from its fixed-point sum, times 1 - factor.
ROTE_HD float contrast_part(int64_t grey_sum, int64_t pixels, float factor) {
    const float mean = float(double(grey_sum) / (double(pixels) * 16777216.0));
    return mean * (1.0f - factor);
}

template <class V>
ROTE_HD void adjust_saturation(V& r, V& g, V& b, float factor) {
    const V part = grey_of<V>(r, g, b) * (1.0f - factor);
    r = blend<V>(r, factor, part);
    g = blend<V>(g, factor, part);
    b = blend<V>(b, factor, part);
}

/// A grey value as its image's mean counts it where pixels may lie outside [0, 1] (bicubic overshoot): at most 2
/// from zero, so that 64 numbers of 24 bits fit an int32.
template <class V>
ROTE_HD V bounded_grey(V grey) {
    return least<V>(greatest<V>(grey, splat<V>(-2.0f)), splat<V>(1.99999988f));
}

/// A channel `part` of the range below the highest. Where pixels may lie outside [0, 1], torchvision's clamp of all but
/// the highest shows; inside it changes nothing.
template <class V, bool Unbounded>
ROTE_HD V below_highest(V high, V range, V part) {
    const V value = difference_apart<V>(high, range * part);
    if constexpr (!Unbounded) return value;
    return choose(part == splat<V>(0.0f), high, clamp_unit<V>(value));
}

/// The hue in sextants of the circle, in [-1, 5].
template <class V>
ROTE_HD V hue_of(V r, V g, V b, V high, V range) {
    const V zero = splat<V>(0.0f), one = splat<V>(1.0f), two = splat<V>(2.0f), four = splat<V>(4.0f);
    const auto red = high == r;
    const auto green = high == g;
    const V numerator = choose(red, g - b, choose(green, b - r, r - g));
    const V sector = choose(red, zero, choose(green, two, four));
    return sum_apart<V>(numerator / choose(range == zero, one, range), sector);
}

/// Turns the hue by shift / 6 of the circle. With v = max, c = max - min and h in sextants, HSV to RGB is
/// v - c * clamp(...) per channel, the branch-free form of the sector table.
template <class V, bool Unbounded = false>
ROTE_HD void adjust_hue(V& r, V& g, V& b, float shift) {
    const V zero = splat<V>(0.0f), two = splat<V>(2.0f), four = splat<V>(4.0f);
    const V high = greatest<V>(greatest<V>(r, g), b), low = least<V>(least<V>(r, g), b);
    const V range = difference_apart<V>(high, low);
    V h = sum_apart<V>(hue_of<V>(r, g, b, high, range), splat<V>(shift));
    // 6 is as good as 0: the formulas below give the same.
    h = choose(h < zero, h + 6.0f, choose(h >= splat<V>(6.0f), h - 6.0f, h));
    const V from_green = magnitude<V>(difference_apart<V>(h, two));
    const V from_blue = magnitude<V>(difference_apart<V>(h, four));
    const V from_cyan = magnitude<V>(difference_apart<V>(h, splat<V>(3.0f)));
    // high - range * [0, 1] stays inside [0, high] in floating point too: range rounds to at most high.
    r = below_highest<V, Unbounded>(high, range, clamp_unit<V>(2.0f - from_cyan));
    g = below_highest<V, Unbounded>(high, range, clamp_unit<V>(from_green - 1.0f));
    b = below_highest<V, Unbounded>(high, range, clamp_unit<V>(from_blue - 1.0f));
}

template <class V>
ROTE_HD V normalize(V x, float mean, float std) {
    return (x - mean) / std;
}

/// The bilinear sample of four neighbours, zeros where there is no image, as grid_sample adds them up.
template <class V>
ROTE_HD V bilinear(V p00, V p01, V p10, V p11, V fx, V fy) {
    const V gx = 1.0f - fx, gy = 1.0f - fy;
    return ((p00 * (gx * gy) + p01 * (fx * gy)) + p10 * (gx * fy)) + p11 * (fx * fy);
}

/// How much of the bilinear footprint lies inside the image; v* are 1 inside and 0 outside, per axis.
template <class V>
ROTE_HD V coverage(V vx0, V vx1, V vy0, V vy1, V fx, V fy) {
    return (vx0 * (1.0f - fx) + vx1 * fx) * (vy0 * (1.0f - fy) + vy1 * fy);
}

/// torchvision's fill of a bilinear transform: the sample (zeros outside) weighted once more by its coverage.
template <class V>
ROTE_HD V blend_fill(V sample, V covered, float fill) {
    return (sample - fill) * covered + fill;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
