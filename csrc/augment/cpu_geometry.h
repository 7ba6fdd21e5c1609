// augment/cpu_geometry.h: flips, padded crops and affine maps on vectors. Included by the cpu_* files only.
#pragma once

#include "augment/cpu_view.h"

namespace rote {
namespace {

inline void flip(View& view) {
    if (view.in_bank) {
        int32_t* const columns = view.columns();
        for (int32_t x = 0, last = view.width - 1; x < last; ++x, --last) {
            const int32_t kept = columns[x];
            columns[x] = columns[last];
            columns[last] = kept;
        }
        return;
    }
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t y = 0; y < view.height; ++y) {
            float* const row = view.plane(c) + int64_t(y) * view.width;
            for (int32_t x = 0, last = view.width - 1; x < last; ++x, --last) {
                const float kept = row[x];
                row[x] = row[last];
                row[last] = kept;
            }
        }
}

inline void compose_axis(int32_t* axis, int32_t* spare, int32_t start, int32_t extent, int32_t out, int32_t mode) {
    for (int32_t d = 0; d < out; ++d) {
        const int32_t from = padded_index(start + d, extent, mode);
        spare[d] = from < 0 ? -1 : axis[from];
    }
    memcpy(axis, spare, size_t(out) * sizeof(int32_t));
}

__attribute__((noinline)) void random_crop(View& view, const AugmentStep& step) {
    const CropWindow window = padded_window(step, view.row);
    const int32_t mode = int32_t(step.constants[1]);
    const float fill = float(step.constants[2]);
    int32_t* const index = view.part<int32_t>(view.layout->gather_index);
    const bool fills = window.top < 0 || window.left < 0 || window.top + window.height > step.in_height ||
                       window.left + window.width > step.in_width;
    if (view.in_bank && view.has_fill && fills && mode == 0 && fill != view.fill) leave_bank(view);
    if (view.in_bank) {
        compose_axis(view.columns(), index, window.left, step.in_width, step.out_width, mode);
        compose_axis(view.rows(), index, window.top, step.in_height, step.out_height, mode);
        if (fills && mode == 0) {
            view.has_fill = true;
            view.fill = fill;
        }
    } else {
        for (int32_t x = 0; x < step.out_width; ++x) index[x] = padded_index(window.left + x, step.in_width, mode);
        for (int32_t c = 0; c < view.plan->channels; ++c)
            for (int32_t y = 0; y < step.out_height; ++y) {
                const int32_t from_y = padded_index(window.top + y, step.in_height, mode);
                const float* const from = view.plane(c) + int64_t(from_y) * step.in_width;
                float* const to = view.spare_plane(c) + int64_t(y) * step.out_width;
                for (int32_t x = 0; x < step.out_width; ++x) to[x] = from_y < 0 || index[x] < 0 ? fill : from[index[x]];
            }
        view.swap_planes();
    }
    view.height = step.out_height;
    view.width = step.out_width;
}

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

__attribute__((noinline)) void random_affine(View& view, const AugmentStep& step) {
    leave_bank(view);
    pad_planes(view);
    const AffineMap map = affine_map(step, view.row);
    const bool bilinear_mode = step.constants[10] != 0;
    const float fill = float(step.constants[11]);
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
