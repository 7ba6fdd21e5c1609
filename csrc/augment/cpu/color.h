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

inline void push_brightness(View& view, float factor) {
    if (factor == 1.0f) return;
    push(view, {view.non_negative ? PointwiseKind::brightness_up : PointwiseKind::brightness, factor});
}

/// The mean is that of the image with everything owed so far.
inline void push_contrast(View& view, float factor) {
    if (factor == 1.0f) return;
    const int64_t sum = to_planes_with_grey_sum(view);
    const bool up = view.non_negative && factor < 1.0f;  // a larger factor subtracts a part of the mean
    push(view, {up ? PointwiseKind::contrast_up : PointwiseKind::contrast, factor,
                contrast_part(sum, int64_t(view.height) * view.width, factor)});
}

inline void push_saturation(View& view, float factor) {
    if (view.plan->channels != 3 || factor == 1.0f) return;
    const bool up = view.non_negative && factor < 1.0f;
    push(view, {up ? PointwiseKind::saturation_up : PointwiseKind::saturation, factor});
}

inline void push_hue(View& view, float hue) {
    if (view.plan->channels == 3 && hue != 0.0f) push(view, {PointwiseKind::hue, hue_sextants(hue)});
}

inline void color_jitter(View& view, const AugmentStep& step) {
    const JitterParameters jitter = jitter_parameters(step, view.row);
    if (!jitter.applied) return;
    for (int32_t which : jitter.order) {
        if (which == 0) push_brightness(view, jitter.brightness);
        if (which == 1) push_contrast(view, jitter.contrast);
        if (which == 2) push_saturation(view, jitter.saturation);
        if (which == 3) push_hue(view, jitter.hue);
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
