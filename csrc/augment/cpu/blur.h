// augment/cpu/blur.h: blur and sharpness on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"

namespace rote {
namespace {

inline void gaussian_blur(View&, const AugmentStep&) {}
inline void sharpness(View&, const AugmentStep&) {}

}  // namespace
}  // namespace rote
