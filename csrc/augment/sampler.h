// augment/sampler.h: how each operation draws its parameters. Slots are fixed forever (docs/augment-semantics.md).
#pragma once

#include "augment/math.h"
#include "rote/address.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

constexpr int kCropTries = 10;

ROTE_HD int32_t float_word(float value) {
    int32_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

ROTE_HD double uniform_between(AddressStream& random, uint32_t slot, double low, double high) {
    return low + (high - low) * random.uniform(slot);
}

/// torchvision's RandomResizedCrop.make_params: ten tries, then the largest central crop of an allowed ratio.
/// constants: scale_lo, scale_hi, ratio_lo, ratio_hi, log2(ratio_lo), log2(ratio_hi). Try t owns slots 4t..4t+3.
ROTE_HD void draw_random_resized_crop(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const int64_t height = step.in_height, width = step.in_width;
    const double area = double(height * width);
    for (uint32_t t = 0; t < kCropTries; ++t) {
        const double target = area * uniform_between(random, 4 * t, step.constants[0], step.constants[1]);
        const double ratio = exp2_exact(uniform_between(random, 4 * t + 1, step.constants[4], step.constants[5]));
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

/// constants: padding, mode, fill.
ROTE_HD void draw_random_crop(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const int32_t padding = int32_t(step.constants[0]);
    row[0] = int32_t(random.integer(0, uint64_t(step.in_height + 2 * padding - step.out_height + 1)));
    row[1] = int32_t(random.integer(1, uint64_t(step.in_width + 2 * padding - step.out_width + 1)));
}

/// constants: degrees, translate fractions, scale, shear ranges (docs/augment-semantics.md). Translation in whole pixels.
ROTE_HD void draw_random_affine(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    const double reach_x = c[2] * double(step.in_width), reach_y = c[3] * double(step.in_height);
    row[0] = float_word(float(uniform_between(random, 0, c[0], c[1])));
    row[1] = int32_t(round_half_even(uniform_between(random, 1, -reach_x, reach_x)));
    row[2] = int32_t(round_half_even(uniform_between(random, 2, -reach_y, reach_y)));
    row[3] = float_word(float(uniform_between(random, 3, c[4], c[5])));
    row[4] = float_word(float(uniform_between(random, 4, c[6], c[7])));
    row[5] = float_word(float(uniform_between(random, 5, c[8], c[9])));
}

/// The permutation of rank 0..23 of (0, 1, 2, 3) in lexicographic order.
ROTE_HD void unrank_order(uint32_t rank, int32_t* order) {
    uint32_t left = 0x3210;  // what is still free, one per nibble
    uint32_t block = 6;      // 3!, 2!, 1!, 0!
    for (uint32_t place = 0; place < 4; ++place) {
        const uint32_t shift = 4 * (rank / block);
        rank %= block;
        block = place < 2 ? block / (3 - place) : 1;
        order[place] = int32_t((left >> shift) & 15u);
        const uint32_t below = (1u << shift) - 1u;
        left = (left & below) | ((left >> 4) & ~below);
    }
}

/// constants: brightness, contrast, saturation, hue ranges, p.
ROTE_HD void draw_color_jitter(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    row[0] = random.uniform(0) < c[8];
    unrank_order(random.integer(1, 24), row + 1);
    for (uint32_t factor = 0; factor < 4; ++factor)
        row[5 + factor] = float_word(float(uniform_between(random, 2 + factor, c[2 * factor], c[2 * factor + 1])));
}

/// Words of a kind's part of the row.
ROTE_HD int32_t fields_of(AugmentKind kind) {
    switch (kind) {
        case AugmentKind::random_resized_crop:
            return 4;
        case AugmentKind::random_crop:
            return 2;
        case AugmentKind::random_affine:
            return 6;
        case AugmentKind::color_jitter:
            return 9;
        case AugmentKind::horizontal_flip:
        case AugmentKind::grayscale:
            return 1;
        case AugmentKind::normalize:
            return 0;
    }
    return 0;
}

/// Draws one operation of one view into its part of the row. Every operation owns a stream, so steps can be drawn in
/// any order or at the same time.
ROTE_HD void draw_step(const AugmentStep& step, uint64_t seed, uint64_t image, uint64_t view, int32_t* row) {
    AddressStream random = address_stream(seed, image, view, step.stream);
    int32_t* fields = row + step.row_offset;
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            return draw_random_resized_crop(step, random, fields);
        case AugmentKind::random_crop:
            return draw_random_crop(step, random, fields);
        case AugmentKind::random_affine:
            return draw_random_affine(step, random, fields);
        case AugmentKind::color_jitter:
            return draw_color_jitter(step, random, fields);
        case AugmentKind::horizontal_flip:
        case AugmentKind::grayscale:
            fields[0] = random.uniform(0) < step.constants[0];
            return;
        case AugmentKind::normalize:
            return;
    }
}

ROTE_HD void draw_row(const AugmentPlan& plan, uint64_t seed, uint64_t image, uint64_t view, int32_t* row) {
    for (int32_t s = 0; s < plan.num_steps; ++s) draw_step(plan.steps[s], seed, image, view, row);
}

}  // namespace ROTE_LEVEL
}  // namespace rote
