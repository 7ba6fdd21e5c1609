// augment/meaning/resize_taps.h: which source pixels an output pixel of a resize shows, and their weights.
#pragma once

#include <cstdint>

#include "augment/meaning/level.h"
#include "rote/host_device.h"

namespace rote {
inline namespace ROTE_LEVEL {

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

}  // namespace ROTE_LEVEL
}  // namespace rote
