// augment/cuda/simple_noise.cuh: the simple kernel's erasing, cutout and noise.
#pragma once

#include "augment/cuda/simple_block.cuh"
#include "augment/meaning/erase.h"
#include "augment/meaning/noise.h"

namespace rote {
namespace {

__device__ __forceinline__ void erase_box(Block& block, const EraseParameters& erase) {
    if (!erase.applied) return;
    to_planes(block);
    float* const planes = block.image.planes;
    for_each_element(block, block.image.height, block.image.width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        if (erase.box.holds(y, x)) planes[place] = erase.pixel(c, y, x);
    });
    __syncthreads();
}

__device__ __forceinline__ void gaussian_noise(Block& block, const NoiseParameters& noise) {
    if (!noise.applied) return;
    to_planes(block);
    float* const planes = block.image.planes;
    const int32_t width = block.image.width;
    for_each_element(block, block.image.height, width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        planes[place] = add_noise<float>(planes[place], standard_normal(noise.key, c, y * width + x), noise);
    });
    __syncthreads();
}

__device__ __forceinline__ void apply_noise(Block& block, const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::random_erasing:
            return erase_box(block, erasing_parameters(step, block.row));
        case AugmentKind::cutout:
            return erase_box(block, cutout_parameters(step, block.row));
        case AugmentKind::gaussian_noise:
            return gaussian_noise(block, noise_parameters(step, block.row));
        default:
            return;
    }
}

}  // namespace
}  // namespace rote
