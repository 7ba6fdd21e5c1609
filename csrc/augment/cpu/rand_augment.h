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
    const AffineSampling sampling = rand_sampling(step);
    const bool shifts = map.x_per_column == int64_t(1) << 32 && map.y_per_column == 0;
    if (shifts && !sampling.bilinear) return shift_rows(view, map, sampling.fill);
    apply_affine(view, map, sampling);
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
