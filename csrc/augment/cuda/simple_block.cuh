// augment/cuda/simple_block.cuh: a view in the hands of one block of the simple kernel: its planes, and loops over
// them.
#pragma once

#include "augment/meaning/color.h"
#include "rote/augment.h"
#include "runtime/launch.cuh"

namespace rote {
namespace {

constexpr int kThreads = 256;

/// The image as it stands: bytes in the bank at first, then float planes [channels, height * width] of the block.
struct DeviceImage {
    const uint8_t* bytes;  // null once the image is in planes
    int64_t stride_c, stride_h, stride_w;
    float* planes;
    int64_t pitch;
    int32_t height, width;

    __device__ __forceinline__ float at(int32_t c, int32_t y, int32_t x) const {
        if (bytes) return unit_from_byte<float>(float(bytes[c * stride_c + y * stride_h + x * stride_w]));
        return planes[c * pitch + int64_t(y) * width + x];
    }
    __device__ __forceinline__ float at_or_zero(int32_t c, int32_t y, int32_t x) const {
        return y >= 0 && y < height && x >= 0 && x < width ? at(c, y, x) : 0.0f;
    }
};

/// What the threads of a block share while they work on a view.
struct Block {
    const AugmentPlan& plan;
    DeviceImage image;
    float* spare;  // the other set of planes
    float* kept;   // where a recipe mixes: a third one
    float* tap_memory;
    const int32_t* row;
    unsigned long long* sum;  // shared, for image means

    /// The operation has written `spare`: it becomes the image.
    __device__ __forceinline__ void adopt(int32_t height, int32_t width) {
        __syncthreads();
        float* const old = image.planes;
        image.planes = spare;
        spare = old;
        image.bytes = nullptr;
        image.height = height;
        image.width = width;
    }
};

/// Every element of [channels, height, width] once over the block: fn(c, y, x, offset in planes).
template <class Fn>
__device__ __forceinline__ void for_each_element(const Block& block, int32_t height, int32_t width, Fn&& fn) {
    const int32_t pixels = height * width;
    for (int32_t c = 0; c < block.plan.channels; ++c)
        for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads) {
            const int32_t y = p / width;
            fn(c, y, p - y * width, c * block.image.pitch + p);
        }
}

__device__ __forceinline__ void to_planes(Block& block) {
    if (!block.image.bytes) return;
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, image.height, image.width,
                     [&](int32_t c, int32_t y, int32_t x, int64_t place) { to[place] = image.at(c, y, x); });
    block.adopt(image.height, image.width);
}

/// Each pixel's value replaced by fn of it, all channels alike.
template <class Fn>
__device__ __forceinline__ void change_pixels(Block& block, Fn&& fn) {
    to_planes(block);
    float* const planes = block.image.planes;
    for_each_element(block, block.image.height, block.image.width,
                     [&](int32_t, int32_t, int32_t, int64_t place) { planes[place] = fn(planes[place]); });
    __syncthreads();
}

__device__ __forceinline__ float grey_at(const Block& block, int32_t p) {
    const float* const planes = block.image.planes;
    if (block.plan.channels == 1) return planes[p];
    return grey_of<float>(planes[p], planes[block.image.pitch + p], planes[2 * block.image.pitch + p]);
}

/// The sum over the block, on every thread; integers, so the order of the threads does not matter.
__device__ __forceinline__ int64_t block_sum(Block& block, int64_t value) {
    unsigned long long mine = static_cast<unsigned long long>(value);
    for (int offset = 16; offset > 0; offset /= 2) mine += __shfl_down_sync(kWarp, mine, offset);
    __syncthreads();  // everybody has read the sum of an earlier operation
    if (threadIdx.x == 0) *block.sum = 0;
    __syncthreads();
    if (threadIdx.x % kWarpLanes == 0) atomicAdd(block.sum, mine);
    __syncthreads();
    return int64_t(*block.sum);
}

/// Fixed-point sum of the grey values.
__device__ __forceinline__ int64_t grey_sum(Block& block, bool unbounded) {
    const int32_t pixels = block.image.height * block.image.width;
    int64_t mine = 0;
    for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads) {
        const float grey = grey_at(block, p);
        mine += int32_t((unbounded ? bounded_grey<float>(grey) : grey) * kGreyScale);
    }
    return block_sum(block, mine);
}

__device__ __forceinline__ void adjust_contrast(Block& block, float factor, bool unbounded) {
    to_planes(block);
    const int64_t pixels = int64_t(block.image.height) * block.image.width;
    const float part = contrast_part(grey_sum(block, unbounded), pixels, factor);
    change_pixels(block, [&](float x) { return blend<float>(x, factor, part); });
}

/// fn(r, g, b) on every pixel of a colour image.
template <class Fn>
__device__ __forceinline__ void change_colors(Block& block, Fn&& fn) {
    if (block.plan.channels != 3) return;
    to_planes(block);
    const int32_t pixels = block.image.height * block.image.width;
    float* const planes = block.image.planes;
    const int64_t pitch = block.image.pitch;
    for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads)
        fn(planes[p], planes[pitch + p], planes[2 * pitch + p]);
    __syncthreads();
}

}  // namespace
}  // namespace rote
