// augment/cpu/tone.h: solarize, posterize, invert, auto-contrast, equalize on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/color.h"
#include "augment/cpu/view.h"
#include "augment/meaning/tone.h"

namespace rote {
namespace {

inline void solarize_planes(View& view, float threshold) {
    to_planes(view);
    for_each_value(view, [=](FloatVector x) { return solarize<FloatVector>(x, threshold); });
}

inline void posterize_planes(View& view, float levels) {
    to_planes(view);
    for_each_value(view, [=](FloatVector x) { return posterize<FloatVector>(x, levels); });
}

inline void invert_planes(View& view) {
    to_planes(view);
    for_each_value(view, [](FloatVector x) { return invert<FloatVector>(x); });
}

__attribute__((noinline)) void solarize(View& view, const AugmentStep& step) {
    solarize_planes(view, float(step.constants[0]));
}

__attribute__((noinline)) void posterize(View& view, const AugmentStep& step) {
    posterize_planes(view, posterize_levels(step.constants[0]));
}

__attribute__((noinline)) void invert(View& view) {
    invert_planes(view);
}

/// The least and the greatest of `count` pixels.
inline Stretch stretch_of_plane(const float* plane, int32_t count) {
    FloatVector least = splat<FloatVector>(plane[0]), greatest = least;
    const auto take = [&](FloatVector x) {
        least = x < least ? x : least;
        greatest = x > greatest ? x : greatest;
    };
    int32_t p = 0;
    for (; p + kLanes <= count; p += kLanes) take(load_float(plane + p));
    for (; p < count; ++p) take(splat<FloatVector>(plane[p]));
    float low = least[0], high = greatest[0];
    for (int i = 1; i < kLanes; ++i) {
        low = least[i] < low ? least[i] : low;
        high = greatest[i] > high ? greatest[i] : high;
    }
    return stretch_of(low, high);
}

__attribute__((noinline)) void auto_contrast(View& view) {
    to_planes(view);
    const int32_t pixels = view.height * view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        const Stretch by = stretch_of_plane(plane, pixels);
        for (int32_t p = 0; p < pixels; p += kLanes) store(plane + p, stretch<FloatVector>(load_float(plane + p), by));
    }
}

/// How many of `count` pixels have each byte. Neighbours are often equal: counting them in turns keeps one count from
/// waiting for the other.
inline void count_bytes(const int32_t* bytes, int32_t count, int32_t* counts) {
    int32_t turns[4][256] = {};
    int32_t p = 0;
    for (; p + 4 <= count; p += 4)
        for (int turn = 0; turn < 4; ++turn) ++turns[turn][bytes[p + turn]];
    for (; p < count; ++p) ++turns[0][bytes[p]];
    for (int32_t byte = 0; byte < 256; ++byte)
        counts[byte] = (turns[0][byte] + turns[1][byte]) + (turns[2][byte] + turns[3][byte]);
}

/// Values of all bytes after equalization of a channel with these counts.
inline void equalize_table(const int32_t* counts, int32_t pixels, float* values) {
    int32_t greatest = 255;
    while (counts[greatest] == 0) --greatest;
    const int32_t step = equalize_step(pixels, counts[greatest]);
    int32_t below[256];
    for (int32_t byte = 0, sum = 0; byte < 256; sum += counts[byte++]) below[byte] = sum;
    for (int32_t byte = 0; byte < 256; byte += kLanes) {
        FloatVector levels;
        if (step == 0) {
            levels = __builtin_convertvector(lane_numbers() + byte, FloatVector);
        } else if (pixels <
                   1 << 23) {  // equalize_level: whole numbers below 2^24 divide as floats without crossing one
            const FloatVector sums = __builtin_convertvector(load<IntVector>(below + byte) + step / 2, FloatVector);
            levels = whole_part<FloatVector>(clamp_upto<FloatVector>(sums / float(step), 255.0f));
        } else {
            for (int i = 0; i < kLanes; ++i) levels[i] = float(equalize_level(below[byte + i], step));
        }
        store(values + byte, unit_from_byte<FloatVector>(levels));
    }
}

__attribute__((noinline)) void equalize(View& view) {
    to_planes(view);
    const int32_t pixels = view.height * view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        int32_t* const bytes = reinterpret_cast<int32_t*>(view.spare_plane(c));
        for (int32_t p = 0; p < pixels; p += kLanes)
            store(bytes + p, __builtin_convertvector(byte_of<FloatVector>(load_float(plane + p)), IntVector));
        int32_t counts[256];
        count_bytes(bytes, pixels, counts);
        float values[256];
        equalize_table(counts, pixels, values);
        for (int32_t p = 0; p < pixels; p += kLanes) store(plane + p, gather(values, load<IntVector>(bytes + p)));
    }
}

}  // namespace
}  // namespace rote
