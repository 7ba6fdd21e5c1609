// augment/cuda/simple_color.cuh: the simple kernel's colour jitter, grey and normalization.
#pragma once

#include "augment/cuda/simple_block.cuh"
#include "augment/meaning/jitter.h"

namespace rote {
namespace {

__device__ __forceinline__ void color_jitter(Block& block, const AugmentStep& step) {
    const JitterParameters jitter = jitter_parameters(step, block.row);
    if (!jitter.applied) return;
    const float shift = hue_sextants(jitter.hue);
    for (int32_t place = 0; place < 4; ++place) {
        const int32_t which = block.row[step.row_offset + 1 + place] & 3;  // jitter.order, without indexing registers
        if (which == 0 && jitter.brightness != 1.0f)
            change_pixels(block, [&](float x) { return adjust_brightness<float>(x, jitter.brightness); });
        if (which == 1 && jitter.contrast != 1.0f) adjust_contrast(block, jitter.contrast, jitter.unbounded);
        if (which == 2 && jitter.saturation != 1.0f)
            change_colors(block,
                          [&](float& r, float& g, float& b) { adjust_saturation<float>(r, g, b, jitter.saturation); });
        if (which == 3 && jitter.hue != 0.0f)
            change_colors(block, [&](float& r, float& g, float& b) {
                if (jitter.unbounded)
                    adjust_hue<float, true>(r, g, b, shift);
                else
                    adjust_hue<float, false>(r, g, b, shift);
            });
    }
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
            if (block.row[step.row_offset] != 0)
                change_colors(block, [](float& r, float& g, float& b) { r = g = b = grey_of<float>(r, g, b); });
            return;
        case AugmentKind::normalize:
            return normalize_planes(block, step);
        default:
            return;
    }
}

}  // namespace
}  // namespace rote
