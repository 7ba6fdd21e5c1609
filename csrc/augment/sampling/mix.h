// augment/sampling/mix.h: MixUp and CutMix: partners, weights, boxes.
#pragma once

#include "augment/meaning/erase.h"
#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// A number of Beta(alpha, alpha) from the words of two slots, exact for any alpha > 0.
///
/// Bailey (1994): T = sqrt(n (u^(-2/n) - 1)) cos(2 pi v) has Student's t distribution of n degrees of freedom, and with
/// n = 2 alpha, 1/2 + T / (2 sqrt(n + T^2)) is Beta(alpha, alpha). With b = u^(1/alpha) and c the cosine, |T| / sqrt(n
/// + T^2) is sqrt(q) with q = c^2 (1 - b) / d, 1 - q = b / d, d = b + c^2 (1 - b); so the half near 0 comes without
/// cancellation as (1 - q) / (2 (1 + sqrt(q))).
ROTE_HD double symmetric_beta(AddressStream& random, uint32_t slot, double alpha) {
    const double u = (double(random.word(slot)) + 0.5) * 0x1p-32;
    const double turn = (double(random.word(slot + 1)) + 0.5) * 0x1p-32;
    const double cosine = sincos_degrees(360.0 * turn).cos;
    const double b = exp2_exact(log2_exact(u) / alpha);
    const double part = cosine * cosine * (1.0 - b);
    const double d = b + part;
    const double below = 0.5 * (b / d) / (1.0 + sqrt(part / d));
    return cosine < 0.0 ? below : 1.0 - below;
}

/// constants: alpha, p, partners. Slots: p 0, partner 1, weight 2 and 3. Not applied: partner 0, weight 1.
ROTE_HD void draw_mixup(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    row[0] = 0;
    row[1] = float_word(1.0f);
    if (random.uniform(0) >= c[1]) return;
    row[0] = int32_t(random.integer(1, uint64_t(c[2])));
    row[1] = float_word(float(symmetric_beta(random, 2, c[0])));
}

/// constants: alpha, p, partners. Slots: p 0, partner 1, share 2 and 3, centre y 4, x 5. Not applied: all 0.
///
/// torchvision's CutMix.make_params: with r = sqrt(1 - share) / 2, a box of the half sizes floor(r H), floor(r W) about
/// a uniform pixel, clipped.
ROTE_HD void draw_cutmix(const AugmentStep& step, AddressStream& random, int32_t* row) {
    const double* c = step.constants;
    for (int32_t i = 0; i < 5; ++i) row[i] = 0;
    if (random.uniform(0) >= c[1]) return;
    row[0] = int32_t(random.integer(1, uint64_t(c[2])));
    const double r = 0.5 * sqrt(1.0 - symmetric_beta(random, 2, c[0]));
    const int32_t half_height = int32_t(r * double(step.in_height)), half_width = int32_t(r * double(step.in_width));
    const int32_t y = int32_t(random.integer(4, uint64_t(step.in_height)));
    const int32_t x = int32_t(random.integer(5, uint64_t(step.in_width)));
    const PixelBox box =
        clipped_box(y - half_height, x - half_width, 2 * half_height, 2 * half_width, step.in_height, step.in_width);
    row[1] = box.top;
    row[2] = box.left;
    row[3] = box.bottom - box.top;
    row[4] = box.right - box.left;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
