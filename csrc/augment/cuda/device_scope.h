// augment/cuda/device_scope.h: the current device of a call.
#pragma once

#include <cuda_runtime.h>

#include "rote/error.h"

namespace rote {

/// Makes a device current for the life of the object; the caller's comes back after.
class DeviceScope {
  public:
    explicit DeviceScope(int device) {
        ROTE_CUDA_CHECK(cudaGetDevice(&previous_));
        changed_ = previous_ != device;
        if (changed_) ROTE_CUDA_CHECK(cudaSetDevice(device));
    }
    ~DeviceScope() {
        if (changed_) cudaSetDevice(previous_);
    }
    DeviceScope(const DeviceScope&) = delete;
    DeviceScope& operator=(const DeviceScope&) = delete;

  private:
    int previous_ = 0;
    bool changed_ = false;
};

}  // namespace rote
