// augment/cuda/paths.h: the kernels by name, and what they can render.
#pragma once

#include <string>

#include "rote/augment.h"

namespace rote {

enum class AugmentPath { simple, fast };

/// "simple", "fast" or "auto", which is simple until fast has been verified on a device. ArgumentError for another
/// name.
AugmentPath augment_path_of(const std::string& path);

/// DeviceError if no kernel can render the plan: an operation is never left out.
void check_on_device(const AugmentPlan& plan);

}  // namespace rote
