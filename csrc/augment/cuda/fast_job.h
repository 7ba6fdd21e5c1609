// augment/cuda/fast_job.h: what the fast kernel is asked for. Plain data: travels to the device by value.
#pragma once

#include <cstdint>

#include "augment/cuda/fast_plan.h"
#include "augment/cuda/job.h"

namespace rote {

/// Constants of a normalize as the device wants them.
struct NormalizeFactors {
    float mean[3], std[3], reciprocal[3];
    int32_t quick;  ///< the division may go by the reciprocal: nothing under- or overflows on the way
};

struct FastJob {
    DeviceJob job;
    FastPlan fast;
    int64_t seat_bytes;
    int32_t chunk;                                 ///< views whose parameters a team draws at once
    int32_t copies;                                ///< bytes of the bank may arrive 16 at a time
    int32_t wide_stores;                           ///< channels-last output that takes 16 bytes at a time
    uint8_t* workspace;                            ///< planes that are not on the chip
    NormalizeFactors normalize[kMaxAugmentSteps];  ///< by step
};

/// The memory of a team.
struct FastMemory {
    int32_t* rows;
    float* ops;
    float* taps;
    uint8_t* stage;
    uint8_t* bytes;  // of the views, then of a partner
    float* planes;
    float* partner;  // behind the planes: the other image of a mixing recipe
};

}  // namespace rote
