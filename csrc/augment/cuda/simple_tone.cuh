// augment/cuda/simple_tone.cuh: the simple kernel's blur, sharpness, solarize, posterize, invert, auto-contrast and
// equalize.
#pragma once

#include "augment/cuda/simple_block.cuh"
#include "augment/meaning/blur.h"
#include "augment/meaning/tone.h"

namespace rote {
namespace {

/// Both passes go through the two sets of planes: image -> spare (along x) -> planes.
__device__ __forceinline__ void gaussian_blur(Block& block, const AugmentStep& step) {
    const int32_t radius_x = blur_radius(step.constants[0]), radius_y = blur_radius(step.constants[1]);
    const float sigma = word_float(block.row[step.row_offset + 1]);
    float* const weights_x = block.tap_memory;
    float* const weights_y = weights_x + radius_x + 1;
    if (threadIdx.x == 0) gaussian_weights(radius_x, sigma, weights_x);
    if (threadIdx.x == kWarpLanes) gaussian_weights(radius_y, sigma, weights_y);
    __syncthreads();
    const DeviceImage image = block.image;
    float* const narrow = block.spare;
    for_each_element(block, image.height, image.width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        float sum = blur_middle<float>(image.at(c, y, x), weights_x[0]);
        for (int32_t i = 1; i <= radius_x; ++i)
            sum = blur_pair<float>(sum, image.at(c, y, reflected(x - i, image.width)),
                                   image.at(c, y, reflected(x + i, image.width)), weights_x[i]);
        narrow[place] = sum;
    });
    __syncthreads();
    float* const to = image.planes;
    for_each_element(block, image.height, image.width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        const float* const column = narrow + c * image.pitch + x;
        float sum = blur_middle<float>(column[y * image.width], weights_y[0]);
        for (int32_t i = 1; i <= radius_y; ++i)
            sum = blur_pair<float>(sum, column[reflected(y - i, image.height) * image.width],
                                   column[reflected(y + i, image.height) * image.width], weights_y[i]);
        to[place] = sum;
    });
    __syncthreads();
    block.image.bytes = nullptr;
}

__device__ __forceinline__ void sharpen_image(Block& block, float factor) {
    const DeviceImage image = block.image;
    if (!can_sharpen(image.height, image.width)) return;
    float* const to = block.spare;
    for_each_element(block, image.height, image.width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        const auto three_at = [&](int32_t row) {
            return three<float>(image.at(c, row, x - 1), image.at(c, row, x), image.at(c, row, x + 1));
        };
        const bool inside = y > 0 && x > 0 && y < image.height - 1 && x < image.width - 1;
        const float pixel = image.at(c, y, x);
        to[place] = inside ? sharpen<float>(pixel, three_at(y - 1), three_at(y), three_at(y + 1), factor)
                           : clamp_unit<float>(pixel);
    });
    block.adopt(image.height, image.width);
}

/// The least value over the block, on every thread.
__device__ __forceinline__ float block_least(float value) {
    __shared__ float parts[kThreads / kWarpLanes];
    for (int step = kWarpLanes / 2; step > 0; step /= 2) {
        const float other = __shfl_xor_sync(kWarp, value, step);
        value = other < value ? other : value;
    }
    if (threadIdx.x % kWarpLanes == 0) parts[threadIdx.x / kWarpLanes] = value;
    __syncthreads();
    for (int warp = 0; warp < kThreads / kWarpLanes; ++warp) value = parts[warp] < value ? parts[warp] : value;
    __syncthreads();
    return value;
}

__device__ __forceinline__ void auto_contrast(Block& block) {
    to_planes(block);
    const int32_t pixels = block.image.height * block.image.width;
    for (int32_t c = 0; c < block.plan.channels; ++c) {
        float* const plane = block.image.planes + c * block.image.pitch;
        float least = plane[0], most = -plane[0];  // the least of -x is minus the greatest of x
        for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads) {
            least = plane[p] < least ? plane[p] : least;
            most = -plane[p] < most ? -plane[p] : most;
        }
        const Stretch by = stretch_of(block_least(least), -block_least(most));
        for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads) plane[p] = stretch<float>(plane[p], by);
    }
    __syncthreads();
}

__device__ __forceinline__ void equalize(Block& block) {
    constexpr int32_t kBytes = 256;
    static_assert(kBytes == kThreads, "a thread for each byte");
    __shared__ int32_t counts[kBytes];
    to_planes(block);
    const int32_t pixels = block.image.height * block.image.width, mine = int32_t(threadIdx.x);
    for (int32_t c = 0; c < block.plan.channels; ++c) {
        float* const plane = block.image.planes + c * block.image.pitch;
        counts[mine] = 0;
        __syncthreads();
        for (int32_t p = mine; p < pixels; p += kThreads) atomicAdd(&counts[int32_t(byte_of<float>(plane[p]))], 1);
        __syncthreads();
        int32_t below = 0, greatest = 0;
        for (int32_t byte = 0; byte < kBytes; ++byte) {
            below += byte < mine ? counts[byte] : 0;
            greatest = counts[byte] > 0 ? counts[byte] : greatest;  // of the last byte that occurs
        }
        const int32_t step = equalize_step(pixels, greatest);
        __syncthreads();
        counts[mine] = step == 0 ? mine : equalize_level(below, step);
        __syncthreads();
        for (int32_t p = mine; p < pixels; p += kThreads)
            plane[p] = unit_from_byte<float>(float(counts[int32_t(byte_of<float>(plane[p]))]));
        __syncthreads();
    }
}

}  // namespace
}  // namespace rote
