// augment/cpu/color.h: the colour operations of the vector executors, in place over float planes. Included by the cpu_*
// files only. A plane is one long run of pixels; the lanes after its last pixel hold finite leftovers nobody reads.
#pragma once

#include "augment/cpu/view.h"

namespace rote {
namespace {

/// fn(r, g, b) over all pixels of a three-channel view.
template <class Fn>
inline void for_each_rgb(View& view, Fn&& fn) {
    float* const red = view.plane(0);
    float* const green = view.plane(1);
    float* const blue = view.plane(2);
    const int32_t pixels = view.height * view.width;
    for (int32_t p = 0; p < pixels; p += kLanes) {
        FloatVector r = load_float(red + p), g = load_float(green + p), b = load_float(blue + p);
        fn(r, g, b);
        store(red + p, r);
        store(green + p, g);
        store(blue + p, b);
    }
}

/// fn(x) over all values of a view.
template <class Fn>
inline void for_each_value(View& view, Fn&& fn) {
    const int32_t pixels = view.height * view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        for (int32_t p = 0; p < pixels; p += kLanes) store(plane + p, fn(load_float(plane + p)));
    }
}

inline FloatVector grey_lanes(const View& view, int32_t p) {
    if (view.plan->channels == 1) return load_float(view.plane(0) + p);
    return grey_of<FloatVector>(load_float(view.plane(0) + p), load_float(view.plane(1) + p),
                                load_float(view.plane(2) + p));
}

/// The fixed-point sum of the image's grey values. Lanes add up to 64 numbers of 24 bits before they are widened.
template <bool Unbounded>
__attribute__((noinline)) int64_t grey_sum(const View& view) {
    const auto grey_at = [&](int32_t place) {
        const FloatVector grey = grey_lanes(view, place);
        return Unbounded ? bounded_grey<FloatVector>(grey) : grey;
    };
    const int32_t pixels = view.height * view.width;
    const int32_t whole = pixels / kLanes * kLanes;
    int64_t sum = 0;
    int32_t p = 0;
    while (p < whole) {
        const int32_t stop = whole - p > 64 * kLanes ? p + 64 * kLanes : whole;
        IntVector lanes{};
        for (; p < stop; p += kLanes) lanes = lanes + __builtin_convertvector(grey_at(p) * kGreyScale, IntVector);
        for (int i = 0; i < kLanes; ++i) sum += lanes[i];
    }
    if (whole < pixels) {
        const IntVector rest = __builtin_convertvector(grey_at(whole) * kGreyScale, IntVector);
        for (int i = 0; i < pixels - whole; ++i) sum += rest[i];
    }
    return sum;
}

__attribute__((noinline)) void color_jitter(View& view, const AugmentStep& step) {
    const JitterParameters jitter = jitter_parameters(step, view.row);
    if (!jitter.applied) return;
    to_planes(view);
    const bool rgb = view.plan->channels == 3;
    for (int32_t which : jitter.order) {
        if (which == 0 && jitter.brightness != 1.0f) {
            const float factor = jitter.brightness;
            for_each_value(view, [factor](FloatVector x) { return adjust_brightness<FloatVector>(x, factor); });
        } else if (which == 1 && jitter.contrast != 1.0f) {
            const float factor = jitter.contrast;
            const int64_t sum = jitter.unbounded ? grey_sum<true>(view) : grey_sum<false>(view);
            const float part = contrast_part(sum, int64_t(view.height) * view.width, factor);
            const FloatVector parts = splat<FloatVector>(part);
            for_each_value(view, [=](FloatVector x) { return blend<FloatVector>(x, factor, parts); });
        } else if (which == 2 && rgb && jitter.saturation != 1.0f) {
            const float factor = jitter.saturation;
            for_each_rgb(view, [factor](FloatVector& r, FloatVector& g, FloatVector& b) {
                adjust_saturation<FloatVector>(r, g, b, factor);
            });
        } else if (which == 3 && rgb && jitter.hue != 0.0f) {
            const float shift = hue_sextants(jitter.hue);
            if (jitter.unbounded)
                for_each_rgb(view, [shift](FloatVector& r, FloatVector& g, FloatVector& b) {
                    adjust_hue<FloatVector, true>(r, g, b, shift);
                });
            else
                for_each_rgb(view, [shift](FloatVector& r, FloatVector& g, FloatVector& b) {
                    adjust_hue<FloatVector>(r, g, b, shift);
                });
        }
    }
}

__attribute__((noinline)) void grayscale(View& view) {
    if (view.plan->channels != 3) return;
    to_planes(view);
    for_each_rgb(view, [](FloatVector& r, FloatVector& g, FloatVector& b) {
        r = grey_of<FloatVector>(r, g, b);
        g = r;
        b = r;
    });
}

__attribute__((noinline)) void normalize_planes(View& view, const AugmentStep& step) {
    to_planes(view);
    const int32_t pixels = view.height * view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        const float mean = float(step.constants[c]), std = float(step.constants[3 + c]);
        float* const plane = view.plane(c);
        for (int32_t p = 0; p < pixels; p += kLanes)
            store(plane + p, normalize<FloatVector>(load_float(plane + p), mean, std));
    }
}

}  // namespace
}  // namespace rote
