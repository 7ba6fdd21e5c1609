// augment/meaning/mix.h: how two images become one.
#pragma once

#include <cstdint>

#include "augment/meaning/erase.h"
#include "augment/meaning/row.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// MixUp shows the partner everywhere with 1 - weight, CutMix inside the box alone.
struct MixParameters {
    bool everywhere;
    float weight;  ///< share of the image's own pixels, in [0, 1]
    PixelBox box;
    int32_t partner;
    const int32_t* partner_row;

    /// Whether anything of the partner is seen; where not, it is never read.
    ROTE_HD bool acts() const { return everywhere ? weight < 1.0f : !box.empty(); }
};

ROTE_HD MixParameters mix_parameters(const AugmentStep& step, const int32_t* row) {
    const int32_t* const fields = row + step.row_offset;
    MixParameters mix;
    mix.everywhere = step.kind == AugmentKind::mixup;
    mix.partner = fields[0];
    mix.partner_row = fields + step.row_words;
    mix.box = {0, 0, 0, 0};
    mix.weight = 0.0f;
    if (mix.everywhere) {
        const float weight = word_float(fields[1]);
        mix.weight = weight > 0.0f ? (weight < 1.0f ? weight : 1.0f) : 0.0f;
    } else {
        mix.box = clipped_box(fields[1], fields[2], fields[3], fields[4], step.in_height, step.in_width);
    }
    return mix;
}

/// weight * own + (1 - weight) * partner; `rest` is 1 - weight.
template <class V>
ROTE_HD V mixed(V own, V partner, float weight, float rest) {
    return partner * rest + own * weight;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
