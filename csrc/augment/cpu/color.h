// augment/cpu/color.h: the colour operations of the vector executors. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"
#include "augment/meaning/jitter.h"

namespace rote {
namespace {

/// fn(x) over all values of a view in planes. Lanes after the last pixel of a plane hold finite leftovers.
template <class Fn>
inline void for_each_value(View& view, Fn&& fn) {
    const int32_t pixels = view.height * view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        for (int32_t p = 0; p < pixels; p += kLanes) store(plane + p, fn(load_float(plane + p)));
    }
}

/// fn(r, g, b) over all pixels of a three-channel view in planes.
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

/// The contrast of the image with everything owed so far.
inline void push_contrast(View& view, float factor, bool unbounded) {
    const int64_t sum = unbounded ? grey_sum<true>(view) : grey_sum<false>(view);
    const float part = contrast_part(sum, int64_t(view.height) * view.width, factor);
    const bool up = !unbounded && factor < 1.0f;  // a larger factor subtracts a part of the mean
    push(view, {up ? PointwiseKind::contrast_up : PointwiseKind::contrast, factor, part});
}

inline void color_jitter(View& view, const AugmentStep& step) {
    const JitterParameters jitter = jitter_parameters(step, view.row);
    if (!jitter.applied) return;
    const bool rgb = view.plan->channels == 3, unbounded = jitter.unbounded;
    for (int32_t which : jitter.order) {
        if (which == 0 && jitter.brightness != 1.0f) {
            push(view, {unbounded ? PointwiseKind::brightness : PointwiseKind::brightness_up, jitter.brightness});
        } else if (which == 1 && jitter.contrast != 1.0f) {
            push_contrast(view, jitter.contrast, unbounded);
        } else if (which == 2 && rgb && jitter.saturation != 1.0f) {
            const bool up = !unbounded && jitter.saturation < 1.0f;
            push(view, {up ? PointwiseKind::saturation_up : PointwiseKind::saturation, jitter.saturation});
        } else if (which == 3 && rgb && jitter.hue != 0.0f) {
            push(view, {unbounded ? PointwiseKind::hue_unbounded : PointwiseKind::hue, hue_sextants(jitter.hue)});
        }
    }
}

inline void grayscale(View& view) {
    if (view.plan->channels == 3) push(view, {PointwiseKind::grey});
}

inline void normalize(View& view, const Normalization& normalization) {
    PointwiseKind kind = PointwiseKind::divide;
    if (normalization.method == NormalizationMethod::scale) kind = PointwiseKind::scale;
    if (normalization.method == NormalizationMethod::reciprocal && kFuses) kind = PointwiseKind::reciprocal;
    push(view, {kind, 0.0f, 0.0f, &normalization});
}

}  // namespace
}  // namespace rote
