// augment/cuda/simple.cuh: the simple kernel: a block per view, one operation after another over planes of floats. It
// is the oracle on the device.
#pragma once

#include <cuda_runtime.h>

#include "augment/cuda/job.h"

namespace rote {

/// workspace: as large as simple_memory says.
void render_simple(const DeviceJob& job, float* workspace, cudaStream_t stream);

}  // namespace rote
