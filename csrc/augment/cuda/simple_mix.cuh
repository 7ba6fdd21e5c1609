// augment/cuda/simple_mix.cuh: the simple kernel's second image: the partner goes through the steps before the mixing
// one, then both become one.
#pragma once

#include "augment/cuda/job.h"
#include "augment/cuda/simple_block.cuh"
#include "augment/meaning/mix.h"

namespace rote {
namespace {

/// The view that waits while its partner is rendered.
struct Waiting {
    int32_t step = -1;  // the mixing step; -1: nobody waits
    DeviceImage image;
    const int32_t* row;
};

/// Puts the partner in the view's place.
__device__ __forceinline__ void begin_partner(Block& block, const DeviceJob& job, const MixParameters& mix,
                                              int32_t step, Waiting& waiting) {
    to_planes(block);
    waiting = {step, block.image, block.row};
    block.row = mix.partner_row;
    block.image.bytes = job.images.data + mix.partner * job.images.stride_n;
    block.image.planes = block.spare;
    block.image.height = block.plan.in_height;
    block.image.width = block.plan.in_width;
    block.spare = block.kept;
}

/// Mixes, and puts the view back.
__device__ __forceinline__ void end_partner(Block& block, const MixParameters& mix, Waiting& waiting) {
    const DeviceImage partner = block.image;
    float* const planes = waiting.image.planes;
    for_each_element(block, partner.height, partner.width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        if (mix.everywhere)
            planes[place] = mixed<float>(planes[place], partner.at(c, y, x), mix.weight, 1.0f - mix.weight);
        else if (mix.box.holds(y, x))
            planes[place] = partner.at(c, y, x);
    });
    __syncthreads();
    block.kept = block.spare;
    block.spare = partner.planes;
    block.image = waiting.image;
    block.row = waiting.row;
    waiting.step = -1;
}

}  // namespace
}  // namespace rote
