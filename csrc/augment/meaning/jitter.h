// augment/meaning/jitter.h: the parameters of ColorJitter.
#pragma once

#include "augment/meaning/row.h"
#include "rote/augment.h"

namespace rote {
inline namespace ROTE_LEVEL {

struct JitterParameters {
    bool applied;
    bool unbounded;  ///< pixels may come from outside [0, 1]
    int32_t order[4];
    float brightness, contrast, saturation, hue;
};

ROTE_HD JitterParameters jitter_parameters(const AugmentStep& step, const int32_t* row) {
    const int32_t* fields = row + step.row_offset;
    JitterParameters jitter;
    jitter.applied = fields[0] != 0;
    jitter.unbounded = step.constants[9] != 0.0;
    for (int32_t i = 0; i < 4; ++i) jitter.order[i] = fields[1 + i] & 3;
    jitter.brightness = word_float(fields[5]);
    jitter.contrast = word_float(fields[6]);
    jitter.saturation = word_float(fields[7]);
    jitter.hue = word_float(fields[8]);
    return jitter;
}

/// The hue shift in sextants of the circle, inside [-3, 3].
ROTE_HD float hue_sextants(float hue) {
    hue = hue > -0.5f ? hue : -0.5f;
    return (hue < 0.5f ? hue : 0.5f) * 6.0f;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
