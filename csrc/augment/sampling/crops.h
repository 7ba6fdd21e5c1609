// augment/sampling/crops.h: random windows.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

constexpr int kCropTries = 10;

/// torchvision's RandomResizedCrop.make_params: ten tries, then the largest central crop of an allowed ratio.
/// constants: scale_lo, scale_hi, ratio_lo, ratio_hi, -, -, p, log2(ratio_lo), log2(ratio_hi). Try t owns slots
/// 4t..4t+3. p at slot 40; where it says no, the window is the whole image.
ROTE_HD void draw_random_resized_crop(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const int64_t height = step.in_height, width = step.in_width;
    if (step.constants[6] < 1.0 && random.uniform(4 * kCropTries) >= step.constants[6]) {
        row[0] = row[1] = 0;
        row[2] = int32_t(height);
        row[3] = int32_t(width);
        return;
    }
    const double area = double(height * width);
    for (uint32_t t = 0; t < kCropTries; ++t) {
        const double target = area * uniform_between(random, 4 * t, step.constants[0], step.constants[1]);
        const double ratio = exp2_exact(uniform_between(random, 4 * t + 1, step.constants[7], step.constants[8]));
        const int64_t w = round_half_even(sqrt(target * ratio));
        const int64_t h = round_half_even(sqrt(target / ratio));
        if (w < 1 || w > width || h < 1 || h > height) continue;
        row[0] = int32_t(random.integer(4 * t + 2, uint64_t(height - h + 1)));
        row[1] = int32_t(random.integer(4 * t + 3, uint64_t(width - w + 1)));
        row[2] = int32_t(h);
        row[3] = int32_t(w);
        return;
    }
    const double in_ratio = double(width) / double(height);
    int64_t w = width, h = height;
    if (in_ratio < step.constants[2])
        h = round_half_even(double(w) / step.constants[2]);
    else if (in_ratio > step.constants[3])
        w = round_half_even(double(h) * step.constants[3]);
    h = h < 1 ? 1 : (h > height ? height : h);
    w = w < 1 ? 1 : (w > width ? width : w);
    row[0] = int32_t((height - h) / 2);
    row[1] = int32_t((width - w) / 2);
    row[2] = int32_t(h);
    row[3] = int32_t(w);
}

/// constants: padding, mode, fill, p. p at slot 2; where it says no, the window is the central one.
ROTE_HD void draw_random_crop(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const int32_t padding = int32_t(step.constants[0]);
    const int32_t slack_y = step.in_height + 2 * padding - step.out_height;
    const int32_t slack_x = step.in_width + 2 * padding - step.out_width;
    if (step.constants[3] < 1.0 && random.uniform(2) >= step.constants[3]) {
        row[0] = slack_y / 2;
        row[1] = slack_x / 2;
        return;
    }
    row[0] = int32_t(random.integer(0, uint64_t(slack_y + 1)));
    row[1] = int32_t(random.integer(1, uint64_t(slack_x + 1)));
}

/// airbench's alternating flip: a coin per image, turned over at every other view.
ROTE_HD void draw_alternating_flip(const AugmentStep& step, const AddressStream& address, int32_t* row) {
    AddressStream coin = address_stream(address.seed, address.image, 0, step.stream);
    row[0] = int32_t((coin.uniform(0) < 0.5) != ((address.view & 1) != 0));
}

}  // namespace ROTE_LEVEL
}  // namespace rote
