// knn/cuda/paths.h: the matrix passes by name.
#pragma once

#include <string>

#include "knn/cuda/pass.cuh"

namespace rote {

using PassLaunch = void (*)(const PassOperands&, cudaStream_t);

/// The pass of "sm80" or "sm90"; null for "simple" and "auto", which scan exactly until a pass has been verified on a
/// device. ArgumentError for another name.
PassLaunch pass_of(const std::string& path);

/// DeviceError if the current device cannot run the pass.
void check_pass(PassLaunch pass);

}  // namespace rote
