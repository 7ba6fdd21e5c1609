// augment/meaning/tone.h: solarize, posterize, invert, auto-contrast, equalize on a pixel. V as in color.h.
#pragma once

#include "augment/meaning/color.h"

namespace rote {
inline namespace ROTE_LEVEL {

template <class V>
ROTE_HD V invert(V x) {
    return 1.0f - x;
}

template <class V>
ROTE_HD V solarize(V x, float threshold) {
    return x >= splat<V>(threshold) ? 1.0f - x : x;
}

/// The integer part of 0 <= x < 2^22: adding 2^23 leaves the adder no fraction bits.
template <class V>
ROTE_HD V whole_part(V x) {
    const V rounded = (x + 8388608.0f) - 8388608.0f;
    return rounded > x ? rounded - 1.0f : rounded;
}

/// x clamped to [0, most]; NaN becomes 0.
template <class V>
ROTE_HD V clamp_upto(V x, float most) {
    const V zero = splat<V>(0.0f), top = splat<V>(most);
    x = x > zero ? x : zero;
    return x < top ? x : top;
}

/// 2^bits, for bits made safe: 0 to 8.
ROTE_HD float posterize_levels(double bits) {
    bits = bits > 0.0 ? bits : 0.0;
    return float(1 << int32_t(bits < 8.0 ? bits : 8.0));
}

/// Clamping first and taking the integer part then is the same as the other way round.
template <class V>
ROTE_HD V posterize(V x, float levels) {
    return whole_part<V>(clamp_upto<V>(x * levels, levels - 1.0f)) * (1.0f / levels);
}

/// Auto-contrast of one channel: (x - low) / range.
struct Stretch {
    float low, range;
};

/// From the channel's least and greatest value; a flat channel stays as it is.
ROTE_HD Stretch stretch_of(float least, float greatest) {
    if (least == greatest) return {0.0f, 1.0f};
    return {least, greatest - least};
}

template <class V>
ROTE_HD V stretch(V x, Stretch by) {
    return clamp_unit<V>((x - by.low) / by.range);
}

/// The byte of a value, as a whole number in [0, 255]: torchvision's conversion of floats to bytes.
template <class V>
ROTE_HD V byte_of(V x) {
    return whole_part<V>(clamp_upto<V>(x * 255.999f, 255.0f));
}

/// Equalize counts the bytes of a channel. The step of its table: the pixels that do not have the greatest value, in
/// 255 parts. Step 0 leaves the bytes as they are.
ROTE_HD int32_t equalize_step(int32_t pixels, int32_t pixels_of_greatest) {
    return (pixels - pixels_of_greatest) / 255;
}

/// What a byte becomes when `below` pixels of the channel are smaller.
ROTE_HD int32_t equalize_level(int32_t below, int32_t step) {
    const int32_t level = (below + step / 2) / step;
    return level < 255 ? level : 255;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
