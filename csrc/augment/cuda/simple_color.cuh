// augment/cuda/simple_color.cuh: the simple kernel's colour jitter, grey and normalization.
#pragma once

#include "augment/cuda/simple_block.cuh"
#include "augment/meaning/jitter.h"

namespace rote {
namespace {

/// Each thread keeps to its own pixels, so that only the image mean needs the block to meet.
__device__ __forceinline__ void color_jitter(Block& block, const AugmentStep& step) {
    const JitterParameters jitter = jitter_parameters(step, block.row);
    if (!jitter.applied) return;
    to_planes(block);
    const int32_t pixels = block.image.height * block.image.width;
    const int64_t pitch = block.image.pitch;
    float* const planes = block.image.planes;
    const int32_t channels = block.plan.channels;
    const float shift = hue_sextants(jitter.hue);
    for (int32_t place = 0; place < 4; ++place) {
        const int32_t which = block.row[step.row_offset + 1 + place] & 3;  // jitter.order, without indexing registers
        if (which == 0 && jitter.brightness != 1.0f) {
            for (int32_t c = 0; c < channels; ++c)
                for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads)
                    planes[c * pitch + p] = adjust_brightness<float>(planes[c * pitch + p], jitter.brightness);
        } else if (which == 1 && jitter.contrast != 1.0f) {
            const float part = contrast_part(grey_sum(block, pixels), pixels, jitter.contrast);
            for (int32_t c = 0; c < channels; ++c)
                for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads)
                    planes[c * pitch + p] = blend<float>(planes[c * pitch + p], jitter.contrast, part);
        } else if (channels == 3 && (which == 2 ? jitter.saturation != 1.0f : which == 3 && jitter.hue != 0.0f)) {
            for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads) {
                float r = planes[p], g = planes[pitch + p], b = planes[2 * pitch + p];
                if (which == 2)
                    adjust_saturation<float>(r, g, b, jitter.saturation);
                else
                    adjust_hue<float>(r, g, b, shift);
                planes[p] = r;
                planes[pitch + p] = g;
                planes[2 * pitch + p] = b;
            }
        }
    }
    __syncthreads();
}

__device__ __forceinline__ void grayscale(Block& block) {
    if (block.plan.channels != 3) return;
    to_planes(block);
    const int32_t pixels = block.image.height * block.image.width;
    for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads) {
        const float grey = grey_at(block, p);
        for (int32_t c = 0; c < 3; ++c) block.image.planes[c * block.image.pitch + p] = grey;
    }
    __syncthreads();
}

__device__ __forceinline__ void normalize_planes(Block& block, const AugmentStep& step) {
    to_planes(block);
    float* const planes = block.image.planes;
    for_each_element(block, block.image.height, block.image.width, [&](int32_t c, int32_t, int32_t, int64_t place) {
        planes[place] = normalize<float>(planes[place], float(step.constants[c]), float(step.constants[3 + c]));
    });
    __syncthreads();
}

__device__ __forceinline__ void apply_color(Block& block, const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::color_jitter:
            return color_jitter(block, step);
        case AugmentKind::grayscale:
            if (block.row[step.row_offset] != 0) grayscale(block);
            return;
        case AugmentKind::normalize:
            return normalize_planes(block, step);
        default:
            return;
    }
}

}  // namespace
}  // namespace rote
