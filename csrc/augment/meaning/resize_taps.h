// augment/meaning/resize_taps.h: which source pixels an output pixel of a resize shows, and their weights.
#pragma once

#include <cstdint>

#include "rote/augment.h"
#include "rote/host_device.h"
#include "rote/level.h"

namespace rote {
inline namespace ROTE_LEVEL {

enum class Interpolation : int32_t { nearest = 0, bilinear = 1, bicubic = 2 };

struct ResizeFilter {
    Interpolation interpolation;
    bool antialias;  ///< widens the filter when shrinking; without effect on nearest
};

/// Of a RandomResizedCrop or a Resize.
ROTE_HD ResizeFilter resize_filter(const AugmentStep& step) {
    const double* const c = step.constants + (step.kind == AugmentKind::resize ? 2 : 4);
    return {Interpolation(int32_t(c[0])), c[1] != 0.0};
}

/// Source pixel of output pixel d of a nearest resize, in torch's float32 arithmetic: a quotient that rounds down makes
/// a whole number fall to the pixel before.
ROTE_HD int32_t nearest_source(int32_t extent, int32_t out, int32_t d) {
    const float scale = float(extent) / float(out);
    const int32_t source = int32_t(float(d) * scale);
    return source < extent ? source : extent - 1;
}

/// Taps per output pixel when `extent` pixels become `out`.
ROTE_HD int32_t tap_count(const ResizeFilter& filter, int32_t extent, int32_t out) {
    const bool cubic = filter.interpolation == Interpolation::bicubic;
    if (!filter.antialias || extent <= out) return cubic ? 4 : 2;
    return int32_t((cubic ? 4.0 : 2.0) * (double(extent) / double(out))) + 2;
}

/// The triangle of half width 1, or the cubic convolution kernel of half width 2 with parameter a.
ROTE_HD double kernel_weight(const ResizeFilter& filter, double distance) {
    const double x = distance < 0.0 ? -distance : distance;
    if (filter.interpolation != Interpolation::bicubic) return x < 1.0 ? 1.0 - x : 0.0;
    const double a = filter.antialias ? -0.5 : -0.75;
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

/// torch's antialiased resize: the kernel stretched by the shrinking factor over the pixels there are, its weights
/// normalized to sum 1.
ROTE_HD int32_t antialiased_taps(const ResizeFilter& filter, int32_t extent, int32_t out, int32_t d, int32_t taps,
                                 float* weights, int64_t stride) {
    const double scale = double(extent) / double(out);
    const double stretch = scale > 1.0 ? scale : 1.0;
    const double support = filter.interpolation == Interpolation::bicubic ? 2.0 * stretch : stretch;
    const double centre = scale * (double(d) + 0.5);
    const int32_t first = centre - support + 0.5 > 0.0 ? int32_t(centre - support + 0.5) : 0;
    int32_t last = int32_t(centre + support + 0.5);
    last = last > extent ? extent : last;
    last = last > first + taps ? first + taps : last;
    double total = 0.0;
    for (int32_t j = first; j < last; ++j) total = total + kernel_weight(filter, (double(j) - centre + 0.5) / stretch);
    for (int32_t t = 0; t < taps; ++t) {
        const int32_t j = first + t;
        const double weight = kernel_weight(filter, (double(j) - centre + 0.5) / stretch);
        weights[t * stride] = j < last ? float(weight / total) : 0.0f;
    }
    return first;
}

/// torch's plain resize: two or four neighbours of the centre, however much it shrinks. Neighbours beyond a border show
/// the border's pixel, whose weights are added up.
ROTE_HD int32_t plain_taps(const ResizeFilter& filter, int32_t extent, int32_t out, int32_t d, int32_t taps,
                           float* weights, int64_t stride) {
    const double scale = double(extent) / double(out);
    const double centre = scale * (double(d) + 0.5) - 0.5;
    int32_t left = int32_t(centre);
    if (double(left) > centre) left = left - 1;  // toward minus infinity
    const double rest = centre - double(left);
    const int32_t before = filter.interpolation == Interpolation::bicubic ? 1 : 0;
    int32_t first = left - before;
    first = first < 0 ? 0 : (first < extent ? first : extent - 1);
    for (int32_t t = 0; t < taps; ++t) {
        double weight = 0.0;
        for (int32_t k = 0; k < taps; ++k) {
            int32_t j = left - before + k;
            j = j < 0 ? 0 : (j < extent ? j : extent - 1);
            if (j == first + t) weight = weight + kernel_weight(filter, double(k - before) - rest);
        }
        weights[t * stride] = float(weight);
    }
    return first;
}

/// First source index (at least 0) and weights of output pixel d of a bilinear or bicubic resize, in float64, rounded
/// once. Tap t reads source min(first + t, extent - 1); taps beyond the filter weigh 0. For equal sizes one tap weighs
/// exactly 1.
ROTE_HD int32_t resize_taps(const ResizeFilter& filter, int32_t extent, int32_t out, int32_t d, int32_t taps,
                            float* weights, int64_t stride) {
    return filter.antialias ? antialiased_taps(filter, extent, out, d, taps, weights, stride)
                            : plain_taps(filter, extent, out, d, taps, weights, stride);
}

}  // namespace ROTE_LEVEL
}  // namespace rote
