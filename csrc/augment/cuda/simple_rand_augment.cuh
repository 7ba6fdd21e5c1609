// augment/cuda/simple_rand_augment.cuh: the simple kernel's RandAugment, and which operation of its group a step is.
#pragma once

#include "augment/cuda/simple_geometry.cuh"
#include "augment/cuda/simple_tone.cuh"
#include "augment/meaning/rand_augment.h"

namespace rote {
namespace {

__device__ __forceinline__ void solarize_pixels(Block& block, float threshold) {
    change_pixels(block, [&](float x) { return solarize<float>(x, threshold); });
}

__device__ __forceinline__ void posterize_pixels(Block& block, double bits) {
    const float levels = posterize_levels(bits);
    change_pixels(block, [&](float x) { return posterize<float>(x, levels); });
}

__device__ __forceinline__ void rand_augment(Block& block, const AugmentStep& step) {
    for (int32_t k = 0; k < rand_places(step); ++k) {
        const RandPlace place = rand_place(step, block.row, k);
        const float factor = rand_factor(place.magnitude);
        if (place.operation >= RandOperation::shear_x && place.operation <= RandOperation::rotate) {
            affine(block, rand_map(place.operation, place.magnitude, block.image.height, block.image.width),
                   rand_sampling(step));
            continue;
        }
        switch (place.operation) {
            case RandOperation::brightness:
                change_pixels(block, [&](float x) { return adjust_brightness<float>(x, factor); });
                break;
            case RandOperation::color:
                change_colors(block, [&](float& r, float& g, float& b) { adjust_saturation<float>(r, g, b, factor); });
                break;
            case RandOperation::contrast:
                adjust_contrast(block, factor, true);
                break;
            case RandOperation::sharpness:
                sharpen_image(block, factor);
                break;
            case RandOperation::posterize:
                posterize_pixels(block, place.magnitude);
                break;
            case RandOperation::solarize:
                solarize_pixels(block, place.magnitude);
                break;
            case RandOperation::auto_contrast:
                auto_contrast(block);
                break;
            case RandOperation::equalize:
                equalize(block);
                break;
            default:
                break;
        }
    }
}

__device__ __forceinline__ void apply_tone(Block& block, const AugmentStep& step) {
    if (step.kind == AugmentKind::rand_augment) return rand_augment(block, step);
    if (block.row[step.row_offset] == 0) return;
    switch (step.kind) {
        case AugmentKind::gaussian_blur:
            return gaussian_blur(block, step);
        case AugmentKind::solarize:
            return solarize_pixels(block, float(step.constants[0]));
        case AugmentKind::posterize:
            return posterize_pixels(block, step.constants[0]);
        case AugmentKind::invert:
            return change_pixels(block, [](float x) { return invert<float>(x); });
        case AugmentKind::sharpness:
            return sharpen_image(block, word_float(block.row[step.row_offset + 1]));
        case AugmentKind::auto_contrast:
            return auto_contrast(block);
        case AugmentKind::equalize:
            return equalize(block);
        default:
            return;
    }
}

}  // namespace
}  // namespace rote
