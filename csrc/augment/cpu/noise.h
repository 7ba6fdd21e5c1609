// augment/cpu/noise.h: erasing, cutout and noise on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"

namespace rote {
namespace {

inline void random_erasing(View&, const AugmentStep&) {}
inline void cutout(View&, const AugmentStep&) {}
inline void gaussian_noise(View&, const AugmentStep&) {}

}  // namespace
}  // namespace rote
