// augment/cpu/rand_augment.h: RandAugment on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/affine.h"
#include "augment/cpu/blur.h"
#include "augment/cpu/color.h"
#include "augment/cpu/tone.h"
#include "augment/meaning/rand_augment.h"

namespace rote {
namespace {

/// A nearest-neighbour map that only shifts rows: translations and shears along x.
inline void shift_rows(View& view, const AffineMap& map, float fill) {
    const int32_t height = view.height, width = view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t i = 0; i < height; ++i) {
            const int32_t first = clamp_int(fixed_nearest(map.x0 + i * map.x_per_row), -width, width);
            const int32_t from = fixed_nearest(map.y0 + i * map.y_per_row);
            float* const to = view.spare_plane(c) + int64_t(i) * width;
            const bool inside = from >= 0 && from < height;
            const int32_t begin = inside ? (first < 0 ? -first : 0) : width;
            const int32_t end = inside ? (first > 0 ? width - first : width) : width;
            for (int32_t j = 0; j < begin; ++j) to[j] = fill;
            if (begin < end)
                memcpy(to + begin, view.plane(c) + int64_t(from) * width + first + begin,
                       size_t(end - begin) * sizeof(float));
            for (int32_t j = end; j < width; ++j) to[j] = fill;
        }
    view.swap_planes();
}

/// Pixels of the planes through a map, as RandomAffine takes them.
inline void rand_map_planes(View& view, const AffineMap& map, bool bilinear_mode, float fill) {
    pad_planes(view);
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

inline void rand_color(View& view, float factor) {
    if (view.plan->channels != 3) return;
    for_each_rgb(view, [factor](FloatVector& r, FloatVector& g, FloatVector& b) {
        adjust_saturation<FloatVector>(r, g, b, factor);
    });
}

inline void rand_contrast(View& view, float factor) {
    const float part = contrast_part(grey_sum<true>(view), int64_t(view.height) * view.width, factor);
    const FloatVector parts = splat<FloatVector>(part);
    for_each_value(view, [=](FloatVector x) { return blend<FloatVector>(x, factor, parts); });
}

inline void rand_place_map(View& view, const AugmentStep& step, RandPlace place) {
    const AffineMap map = rand_map(place.operation, place.magnitude, view.height, view.width);
    const bool bilinear_mode = step.constants[3] != 0;
    const float fill = float(step.constants[4]);
    const bool shifts = map.x_per_column == int64_t(1) << 32 && map.y_per_column == 0;
    if (shifts && !bilinear_mode) return shift_rows(view, map, fill);
    rand_map_planes(view, map, bilinear_mode, fill);
}

__attribute__((noinline)) void rand_augment(View& view, const AugmentStep& step) {
    to_planes(view);
    for (int32_t k = 0; k < rand_places(step); ++k) {
        const RandPlace place = rand_place(step, view.row, k);
        const float factor = rand_factor(place.magnitude);
        switch (place.operation) {
            case RandOperation::identity:
                break;
            case RandOperation::shear_x:
            case RandOperation::shear_y:
            case RandOperation::translate_x:
            case RandOperation::translate_y:
            case RandOperation::rotate:
                rand_place_map(view, step, place);
                break;
            case RandOperation::brightness:
                for_each_value(view, [=](FloatVector x) { return adjust_brightness<FloatVector>(x, factor); });
                break;
            case RandOperation::color:
                rand_color(view, factor);
                break;
            case RandOperation::contrast:
                rand_contrast(view, factor);
                break;
            case RandOperation::sharpness:
                sharpen_planes(view, factor);
                break;
            case RandOperation::posterize:
                posterize_planes(view, posterize_levels(place.magnitude));
                break;
            case RandOperation::solarize:
                solarize_planes(view, place.magnitude);
                break;
            case RandOperation::auto_contrast:
                auto_contrast(view);
                break;
            case RandOperation::equalize:
                equalize(view);
                break;
        }
    }
}

}  // namespace
}  // namespace rote
