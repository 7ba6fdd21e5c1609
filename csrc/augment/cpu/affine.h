// augment/cpu/affine.h: affine maps and rotations on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"
#include "augment/meaning/affine.h"

namespace rote {
namespace {

/// Copies the planes into the spare ones with a border of zeros, one pixel wide.
inline void pad_planes(View& view) {
    const int64_t pitch = view.width + 2;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const to = view.spare_plane(c);
        memset(to, 0, size_t(pitch) * size_t(view.height + 2) * sizeof(float));
        for (int32_t y = 0; y < view.height; ++y)
            memcpy(to + (y + 1) * pitch + 1, view.plane(c) + int64_t(y) * view.width,
                   size_t(view.width) * sizeof(float));
    }
}

inline IntVector clamp_lanes(IntVector value, int32_t low, int32_t high) {
    value = value < low ? IntVector{} + low : value;
    return value > high ? IntVector{} + high : value;
}

inline FloatVector inside_lanes(IntVector position, int32_t extent) {
    return (position >= 0) & (position < extent) ? splat<FloatVector>(1.0f) : splat<FloatVector>(0.0f);
}

__attribute__((noinline)) void apply_affine(View& view, const AffineMap& map, const AffineSampling& sampling) {
    if (is_identity(map)) return;
    to_planes(view);
    pad_planes(view);
    const bool bilinear_mode = sampling.bilinear;
    const float fill = sampling.fill;
    const int32_t height = view.height, width = view.width, pitch = width + 2;
    int32_t* const xs = view.part<int32_t>(view.layout->coordinates);
    int32_t* const ys = xs + view.layout->index_pitch;
    float* const rests_x = reinterpret_cast<float*>(ys + view.layout->index_pitch);
    float* const rests_y = rests_x + view.layout->index_pitch;
    for (int32_t i = 0; i < height; ++i) {
        const int64_t row_x = map.x0 + i * map.x_per_row, row_y = map.y0 + i * map.y_per_row;
        for (int32_t j = 0; j < width; ++j) {
            const int64_t x = row_x + j * map.x_per_column, y = row_y + j * map.y_per_column;
            xs[j] = bilinear_mode ? fixed_floor(x) : fixed_nearest(x);
            ys[j] = bilinear_mode ? fixed_floor(y) : fixed_nearest(y);
            rests_x[j] = fixed_rest(x);
            rests_y[j] = fixed_rest(y);
        }
        for (int32_t j = 0; j < width; j += kLanes) {
            const IntVector x = load<IntVector>(xs + j), y = load<IntVector>(ys + j);
            const IntVector x0 = clamp_lanes(x, -1, width) + 1, y0 = clamp_lanes(y, -1, height) + 1;
            const FloatVector in_x0 = inside_lanes(x, width), in_y0 = inside_lanes(y, height);
            const IntVector index = y0 * pitch + x0;
            if (!bilinear_mode) {
                const FloatVector in = in_x0 * in_y0;
                for (int32_t c = 0; c < view.plan->channels; ++c) {
                    const FloatVector sample = gather(view.spare_plane(c), index);
                    store(view.plane(c) + int64_t(i) * width + j,
                          in > splat<FloatVector>(0.5f) ? sample : splat<FloatVector>(fill));
                }
                continue;
            }
            // Neighbours beyond the border read a zero of the border itself.
            const IntVector x1 = clamp_lanes(x, -2, width - 1) + 2, y1 = clamp_lanes(y, -2, height - 1) + 2;
            const FloatVector fx = load_float(rests_x + j), fy = load_float(rests_y + j);
            const FloatVector covered =
                coverage<FloatVector>(in_x0, inside_lanes(x + 1, width), in_y0, inside_lanes(y + 1, height), fx, fy);
            for (int32_t c = 0; c < view.plan->channels; ++c) {
                const float* const plane = view.spare_plane(c);
                const FloatVector sample =
                    bilinear<FloatVector>(gather(plane, index), gather(plane, y0 * pitch + x1),
                                          gather(plane, y1 * pitch + x0), gather(plane, y1 * pitch + x1), fx, fy);
                store(view.plane(c) + int64_t(i) * width + j, blend_fill<FloatVector>(sample, covered, fill));
            }
        }
    }
}

}  // namespace
}  // namespace rote
