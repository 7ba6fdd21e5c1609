// augment/cuda/simple_geometry.cuh: the simple kernel's crops, resizes, flips and affine maps.
#pragma once

#include "augment/cuda/simple_block.cuh"
#include "augment/meaning/affine.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"

namespace rote {
namespace {

__device__ __forceinline__ void resize_nearest(Block& block, const AugmentStep& step, const CropWindow& window) {
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, step.out_height, step.out_width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        to[place] = image.at(c, window.top + nearest_source(window.height, step.out_height, y),
                             window.left + nearest_source(window.width, step.out_width, x));
    });
    block.adopt(step.out_height, step.out_width);
}

/// Both passes go through the two sets of planes: image -> spare (narrowed rows) -> planes.
__device__ __forceinline__ void resize(Block& block, const AugmentStep& step) {
    const CropWindow window = crop_window(step, block.row);
    const ResizeFilter filter = resize_filter(step);
    if (filter.interpolation == Interpolation::nearest) return resize_nearest(block, step, window);
    const int32_t out_height = step.out_height, out_width = step.out_width;
    const int32_t taps_x = tap_count(filter, window.width, out_width),
                  taps_y = tap_count(filter, window.height, out_height);
    float* const weights_x = block.tap_memory;
    int32_t* const first_x = reinterpret_cast<int32_t*>(weights_x + taps_x * out_width);
    float* const weights_y = reinterpret_cast<float*>(first_x + out_width);
    int32_t* const first_y = reinterpret_cast<int32_t*>(weights_y + taps_y * out_height);
    for (int32_t d = int32_t(threadIdx.x); d < out_width + out_height; d += kThreads) {
        if (d < out_width) {
            first_x[d] = resize_taps(filter, window.width, out_width, d, taps_x, weights_x + d, out_width);
        } else {
            const int32_t e = d - out_width;
            first_y[e] = resize_taps(filter, window.height, out_height, e, taps_y, weights_y + e, out_height);
        }
    }
    __syncthreads();
    const DeviceImage image = block.image;
    float* const narrow = block.spare;
    for_each_element(block, window.height, out_width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        float sum = 0.0f;
        for (int32_t t = 0; t < taps_x; ++t) {
            const int32_t from = first_x[x] + t < window.width ? first_x[x] + t : window.width - 1;
            const float part = image.at(c, window.top + y, window.left + from) * weights_x[t * out_width + x];
            sum = t == 0 ? part : sum + part;
        }
        narrow[place] = sum;
    });
    __syncthreads();
    float* const to = image.planes;
    for_each_element(block, out_height, out_width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        float sum = 0.0f;
        for (int32_t t = 0; t < taps_y; ++t) {
            const int32_t from = first_y[y] + t < window.height ? first_y[y] + t : window.height - 1;
            const float part = narrow[c * image.pitch + int64_t(from) * out_width + x] * weights_y[t * out_height + y];
            sum = t == 0 ? part : sum + part;
        }
        to[place] = sum;
    });
    __syncthreads();
    block.image.bytes = nullptr;
    block.image.height = out_height;
    block.image.width = out_width;
}

__device__ __forceinline__ void padded_crop(Block& block, const AugmentStep& step) {
    const CropWindow window = padded_window(step, block.row);
    const Padding padding = padding_of(step);
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, step.out_height, step.out_width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        const int32_t from_y = padded_index(window.top + y, step.in_height, padding.mode);
        const int32_t from_x = padded_index(window.left + x, step.in_width, padding.mode);
        to[place] = from_y < 0 || from_x < 0 ? padding.fill : image.at(c, from_y, from_x);
    });
    block.adopt(step.out_height, step.out_width);
}

__device__ __forceinline__ void flip(Block& block, bool columns) {
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, image.height, image.width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        to[place] = columns ? image.at(c, y, image.width - 1 - x) : image.at(c, image.height - 1 - y, x);
    });
    block.adopt(image.height, image.width);
}

__device__ __forceinline__ float inside(int32_t position, int32_t extent) {
    return position >= 0 && position < extent ? 1.0f : 0.0f;
}

__device__ __forceinline__ void affine(Block& block, const AffineMap& map, const AffineSampling& sampling) {
    if (is_identity(map)) return;
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, image.height, image.width, [&](int32_t c, int32_t i, int32_t j, int64_t place) {
        const int64_t fixed_x = map.x0 + j * map.x_per_column + i * map.x_per_row;
        const int64_t fixed_y = map.y0 + j * map.y_per_column + i * map.y_per_row;
        if (sampling.bilinear) {
            const int32_t x = fixed_floor(fixed_x), y = fixed_floor(fixed_y);
            const float fx = fixed_rest(fixed_x), fy = fixed_rest(fixed_y);
            const float sample =
                bilinear<float>(image.at_or_zero(c, y, x), image.at_or_zero(c, y, x + 1), image.at_or_zero(c, y + 1, x),
                                image.at_or_zero(c, y + 1, x + 1), fx, fy);
            const float covered = coverage<float>(inside(x, image.width), inside(x + 1, image.width),
                                                  inside(y, image.height), inside(y + 1, image.height), fx, fy);
            to[place] = blend_fill<float>(sample, covered, sampling.fill);
        } else {
            const int32_t x = fixed_nearest(fixed_x), y = fixed_nearest(fixed_y);
            const bool in = x >= 0 && x < image.width && y >= 0 && y < image.height;
            to[place] = in ? image.at(c, y, x) : sampling.fill;
        }
    });
    block.adopt(image.height, image.width);
}

__device__ __forceinline__ void apply_geometry(Block& block, const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::resize:
            return resize(block, step);
        case AugmentKind::random_crop:
        case AugmentKind::center_crop:
            return padded_crop(block, step);
        case AugmentKind::horizontal_flip:
        case AugmentKind::alternating_flip:
        case AugmentKind::vertical_flip:
            if (block.row[step.row_offset] != 0) flip(block, step.kind != AugmentKind::vertical_flip);
            return;
        case AugmentKind::random_affine:
        case AugmentKind::random_rotation:
            return affine(block, affine_map(step, block.row), affine_sampling(step));
        default:
            return;
    }
}

}  // namespace
}  // namespace rote
