// augment/meaning/blur.h: Gaussian blur and sharpness: weights, and how the neighbours of a pixel add up. V as in
// color.h.
#pragma once

#include "augment/meaning/color.h"
#include "augment/meaning/math.h"
#include "augment/meaning/windows.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// Pixels of a blur kernel on either side of its middle.
ROTE_HD int32_t blur_radius(double kernel) {
    return int32_t(kernel) / 2;
}

/// exp(-distance^2 / (2 sigma^2))
ROTE_HD double gaussian(int32_t distance, double sigma) {
    const double part = double(distance) / sigma;
    return exp2_exact(-0.72134752044448170368 * (part * part));  // log2(e) / 2
}

/// weights[i] of the pixels at distance i = 0 .. radius of a Gaussian: they sum to 1 over both sides.
ROTE_HD void gaussian_weights(int32_t radius, float sigma, float* weights) {
    double total = 1.0;
    for (int32_t i = 1; i <= radius; ++i) total += 2.0 * gaussian(i, sigma);
    weights[0] = float(1.0 / total);
    for (int32_t i = 1; i <= radius; ++i) weights[i] = float(gaussian(i, sigma) / total);
}

/// The source of position `from` + `distance` on an axis, reflected without repeating the border. distance < extent.
ROTE_HD int32_t reflected(int32_t position, int32_t extent) {
    return padded_index(position, extent, 2);
}

/// A blurred pixel is blur_middle(x), then blur_pair for distances 1, 2, ... Along x first, then along y.
template <class V>
ROTE_HD V blur_middle(V x, float weight) {
    return x * weight;
}
template <class V>
ROTE_HD V blur_pair(V sum, V before, V after, float weight) {
    return sum + (before + after) * weight;
}

/// Three neighbours in a row; sharpness adds those of three rows.
template <class V>
ROTE_HD V three(V left, V middle, V right) {
    return (left + middle) + right;
}

/// The blend of a pixel with the smoothed image: the 3 x 3 mean in which the pixel itself counts five times.
template <class V>
ROTE_HD V sharpen(V x, V above, V beside, V below, float factor) {
    const V smooth = (three<V>(above, beside, below) + x * 4.0f) * (1.0f / 13.0f);
    return clamp_unit<V>(x + (smooth - x) * (1.0f - factor));
}

/// An image with a side of one or two pixels has no pixel with eight neighbours and stays as it is.
ROTE_HD bool can_sharpen(int32_t height, int32_t width) {
    return height > 2 && width > 2;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
