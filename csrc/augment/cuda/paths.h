// augment/cuda/paths.h: the kernels by name.
#pragma once

#include <string>

#include "rote/augment.h"

namespace rote {

enum class AugmentPath { simple, fast };

/// "simple", "fast" (where a recipe allows it, else simple) or "auto", which is simple until fast has been verified on
/// a device. ArgumentError for another name.
AugmentPath augment_path_of(const std::string& path);

}  // namespace rote
