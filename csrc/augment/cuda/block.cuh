// augment/cuda/block.cuh: a view in the hands of one block: its planes and the operations. Included by cuda.cu only.
#pragma once

#include "augment/meaning/affine.h"
#include "augment/meaning/color.h"
#include "augment/meaning/jitter.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"
#include "augment/sampling/draw.h"
#include "rote/augment.h"

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

/// Both passes go through the two sets of planes: image -> spare (narrowed rows) -> planes.
__device__ __forceinline__ void random_resized_crop(Block& block, const AugmentStep& step) {
    const CropWindow window = crop_window(step, block.row);
    const int32_t out_height = step.out_height, out_width = step.out_width;
    const ResizeFilter filter = resize_filter(step);
    const int32_t taps_x = tap_count(filter, window.width, out_width);
    const int32_t taps_y = tap_count(filter, window.height, out_height);
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

__device__ __forceinline__ void random_crop(Block& block, const AugmentStep& step) {
    const CropWindow window = padded_window(step, block.row);
    const int32_t mode = int32_t(step.constants[1]);
    const float fill = float(step.constants[2]);
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, step.out_height, step.out_width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        const int32_t from_y = padded_index(window.top + y, step.in_height, mode);
        const int32_t from_x = padded_index(window.left + x, step.in_width, mode);
        to[place] = from_y < 0 || from_x < 0 ? fill : image.at(c, from_y, from_x);
    });
    block.adopt(step.out_height, step.out_width);
}

__device__ __forceinline__ void horizontal_flip(Block& block) {
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, image.height, image.width, [&](int32_t c, int32_t y, int32_t x, int64_t place) {
        to[place] = image.at(c, y, image.width - 1 - x);
    });
    block.adopt(image.height, image.width);
}

__device__ __forceinline__ float inside(int32_t position, int32_t extent) {
    return position >= 0 && position < extent ? 1.0f : 0.0f;
}

__device__ __forceinline__ void random_affine(Block& block, const AugmentStep& step) {
    const AffineMap map = affine_map(step, block.row);
    const bool bilinear_mode = step.constants[10] != 0;
    const float fill = float(step.constants[11]);
    const DeviceImage image = block.image;
    float* const to = block.spare;
    for_each_element(block, image.height, image.width, [&](int32_t c, int32_t i, int32_t j, int64_t place) {
        const int64_t fixed_x = map.x0 + j * map.x_per_column + i * map.x_per_row;
        const int64_t fixed_y = map.y0 + j * map.y_per_column + i * map.y_per_row;
        if (bilinear_mode) {
            const int32_t x = fixed_floor(fixed_x), y = fixed_floor(fixed_y);
            const float fx = fixed_rest(fixed_x), fy = fixed_rest(fixed_y);
            const float sample =
                bilinear<float>(image.at_or_zero(c, y, x), image.at_or_zero(c, y, x + 1), image.at_or_zero(c, y + 1, x),
                                image.at_or_zero(c, y + 1, x + 1), fx, fy);
            const float covered = coverage<float>(inside(x, image.width), inside(x + 1, image.width),
                                                  inside(y, image.height), inside(y + 1, image.height), fx, fy);
            to[place] = blend_fill<float>(sample, covered, fill);
        } else {
            const int32_t x = fixed_nearest(fixed_x), y = fixed_nearest(fixed_y);
            const bool in = x >= 0 && x < image.width && y >= 0 && y < image.height;
            to[place] = in ? image.at(c, y, x) : fill;
        }
    });
    block.adopt(image.height, image.width);
}

__device__ __forceinline__ float grey_at(const Block& block, int32_t p) {
    const float* const planes = block.image.planes;
    if (block.plan.channels == 1) return planes[p];
    return grey_of<float>(planes[p], planes[block.image.pitch + p], planes[2 * block.image.pitch + p]);
}

/// Fixed-point sum of the grey values: integers, so the order of the threads does not matter.
__device__ __forceinline__ int64_t grey_sum(Block& block, int32_t pixels) {
    unsigned long long mine = 0;
    for (int32_t p = int32_t(threadIdx.x); p < pixels; p += kThreads)
        mine += static_cast<unsigned long long>(int64_t(int32_t(grey_at(block, p) * kGreyScale)));
    for (int offset = 16; offset > 0; offset /= 2) mine += __shfl_down_sync(0xffffffffu, mine, offset);
    __syncthreads();  // everybody has read the sum of an earlier operation
    if (threadIdx.x == 0) *block.sum = 0;
    __syncthreads();
    if (threadIdx.x % 32 == 0) atomicAdd(block.sum, mine);
    __syncthreads();
    return int64_t(*block.sum);
}

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

__device__ __forceinline__ void apply_step(Block& block, const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            return random_resized_crop(block, step);
        case AugmentKind::random_crop:
            return random_crop(block, step);
        case AugmentKind::horizontal_flip:
            if (block.row[step.row_offset] != 0) horizontal_flip(block);
            return;
        case AugmentKind::random_affine:
            return random_affine(block, step);
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
