// augment/program/checks_tone.cpp: blur, solarize, posterize, invert, sharpness, auto-contrast, equalize, RandAugment.
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {

void check_tone_step(const AugmentPlan&, AugmentStep& step, bool) {
    throw ArgumentError(concat(augment_kind_name(step.kind), ": not available"));
}

void check_tone_row(const AugmentStep&, const int32_t*, int64_t) {}

}  // namespace rote
