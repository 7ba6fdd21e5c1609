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

/// Values of all bytes after equalization of a channel with these counts.
inline void equalize_table(const int32_t* counts, int32_t pixels, float* values) {
    int32_t greatest = 255;
    while (counts[greatest] == 0) --greatest;
    const int32_t step = equalize_step(pixels, counts[greatest]);
    int32_t below = 0;
    for (int32_t byte = 0; byte < 256; ++byte) {
        const int32_t level = step == 0 ? byte : (byte == 0 ? 0 : equalize_level(below, step));
        values[byte] = unit_from_byte<float>(float(level));
        below += counts[byte];
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
        // Neighbours are often equal: counting them in turns keeps one count from waiting for the other.
        int32_t counts[4][256] = {};
        for (int32_t p = 0; p < pixels; ++p) ++counts[p & 3][bytes[p]];
        for (int32_t byte = 0; byte < 256; ++byte)
            counts[0][byte] += counts[1][byte] + counts[2][byte] + counts[3][byte];
        float values[256];
        equalize_table(counts[0], pixels, values);
        for (int32_t p = 0; p < pixels; p += kLanes) store(plane + p, gather(values, load<IntVector>(bytes + p)));
    }
}

}  // namespace
}  // namespace rote
