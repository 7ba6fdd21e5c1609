// augment/cuda/fast.cuh: the fast kernel: a warp per small image or a block per larger one, pixels in registers.
#pragma once

#include <cuda_runtime.h>

#include "augment/cuda/fast_plan.h"
#include "augment/cuda/job.h"

namespace rote {

/// The plan must be possible. workspace: fast_workspace_bytes of it. ArgumentError where places within an image or a
/// view do not fit 32 bits.
void render_fast(const DeviceJob& job, const FastPlan& fast, void* workspace, cudaStream_t stream);

}  // namespace rote
