// augment/sampling/noise.h: erasing, cutout, noise.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/crops.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// torchvision's RandomErasing.make_params: ten tries for a box smaller than the image on both axes; if none fits,
/// nothing is erased. Try t owns slots 4t .. 4t+3, p slot 40, the key of the noise slots 41 and 42. Where the operation
/// does nothing, all fields are 0.
/// constants: p; scale lo, hi; ratio lo, hi; mode (0 value, 1 noise); value x 3; log2(ratio lo), log2(ratio hi).
ROTE_HD void draw_random_erasing(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    const int64_t height = step.in_height, width = step.in_width;
    for (int32_t i = 0; i < 7; ++i) row[i] = 0;
    if (c[0] < 1.0 && random.uniform(4 * kCropTries) >= c[0]) return;
    const double area = double(height * width);
    for (uint32_t t = 0; t < kCropTries; ++t) {
        const double target = area * uniform_between(random, 4 * t, c[1], c[2]);
        const double ratio = exp2_exact(uniform_between(random, 4 * t + 1, c[9], c[10]));
        const int64_t h = round_half_even(sqrt(target * ratio));
        const int64_t w = round_half_even(sqrt(target / ratio));
        if (h >= height || w >= width) continue;
        row[0] = 1;
        row[1] = int32_t(random.integer(4 * t + 2, uint64_t(height - h + 1)));
        row[2] = int32_t(random.integer(4 * t + 3, uint64_t(width - w + 1)));
        row[3] = int32_t(h);
        row[4] = int32_t(w);
        if (c[5] == 0) return;
        row[5] = int32_t(random.word(4 * kCropTries + 1));
        row[6] = int32_t(random.word(4 * kCropTries + 2));
        return;
    }
}

/// constants: height, width; inside 0 or 1; value x 3; p. Slots: top 0, left 1, p 2.
ROTE_HD void draw_cutout(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    const int32_t height = int32_t(c[0]), width = int32_t(c[1]);
    row[0] = random.uniform(2) < c[6];
    row[1] = row[2] = 0;
    if (row[0] == 0) return;
    if (c[2] != 0) {
        row[1] = int32_t(random.integer(0, uint64_t(step.in_height - height + 1)));
        row[2] = int32_t(random.integer(1, uint64_t(step.in_width - width + 1)));
    } else {
        row[1] = int32_t(random.integer(0, uint64_t(step.in_height))) - height / 2;
        row[2] = int32_t(random.integer(1, uint64_t(step.in_width))) - width / 2;
    }
}

/// constants: mean, sigma, clip 0 or 1, p. Slots: p 0, key 1 and 2. The key is drawn whether it is used or not.
ROTE_HD void draw_gaussian_noise(const AugmentStep& step, AddressStream& random, int32_t* row) {
    row[0] = random.uniform(0) < step.constants[3];
    row[1] = int32_t(random.word(1));
    row[2] = int32_t(random.word(2));
}

}  // namespace ROTE_LEVEL
}  // namespace rote
