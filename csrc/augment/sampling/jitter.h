// augment/sampling/jitter.h: random colour changes.
#pragma once

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/sampling/uniform.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

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

}  // namespace ROTE_LEVEL
}  // namespace rote
