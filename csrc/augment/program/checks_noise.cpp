// augment/program/checks_noise.cpp: erasing, cutout, noise.
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {

void check_noise_step(const AugmentPlan&, AugmentStep& step, bool) {
    throw ArgumentError(concat(augment_kind_name(step.kind), ": not available"));
}

void check_noise_row(const AugmentStep&, const int32_t*, int64_t) {}

}  // namespace rote
