// augment/cpu/tone.h: solarize, posterize, invert, auto-contrast, equalize, RandAugment on vectors. Included by
// executor_* only.
#pragma once

#include "augment/cpu/view.h"

namespace rote {
namespace {

inline void solarize(View&, const AugmentStep&) {}
inline void posterize(View&, const AugmentStep&) {}
inline void invert(View&) {}
inline void auto_contrast(View&) {}
inline void equalize(View&) {}
inline void rand_augment(View&, const AugmentStep&) {}

}  // namespace
}  // namespace rote
