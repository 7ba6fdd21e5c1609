// augment/program/checks_mix.cpp: MixUp and CutMix.
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {

void check_mix_step(const AugmentPlan&, AugmentStep& step) {
    throw ArgumentError(concat(augment_kind_name(step.kind), ": not available"));
}

void check_mix_row(const AugmentPlan&, const AugmentStep&, const int32_t*, int64_t) {}

}  // namespace rote
