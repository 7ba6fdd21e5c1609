// augment/cpu/noise.h: erasing, cutout and noise on vectors. Included by executor_* only.
#pragma once

#include <algorithm>

#include "augment/cpu/normals.h"
#include "augment/cpu/view.h"
#include "augment/meaning/erase.h"

namespace rote {
namespace {

/// Replaces a box of the planes. The spare planes hold its normals meanwhile.
__attribute__((noinline)) void erase(View& view, const EraseParameters& erase) {
    if (erase.box.empty()) return;
    to_planes(view);
    const PixelBox& box = erase.box;
    const int32_t width = box.right - box.left;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const normals = view.spare;
        if (erase.noise)
            for_each_normal(erase.key, c, (box.bottom - box.top) * width,
                            [=](int32_t element, FloatVector z) { store(normals + element, z); });
        for (int32_t y = box.top; y < box.bottom; ++y) {
            float* const row = view.plane(c) + int64_t(y) * view.width + box.left;
            if (erase.noise)
                std::copy_n(normals + erase.element(y, box.left), width, row);
            else
                std::fill_n(row, width, erase.value(c));
        }
    }
}

inline void random_erasing(View& view, const AugmentStep& step) {
    erase(view, erasing_parameters(step, view.row));
}

inline void cutout(View& view, const AugmentStep& step) {
    erase(view, cutout_parameters(step, view.row));
}

__attribute__((noinline)) void gaussian_noise(View& view, const AugmentStep& step) {
    const NoiseParameters noise = noise_parameters(step, view.row);
    to_planes(view);
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        for_each_normal(noise.key, c, view.height * view.width, [&](int32_t element, FloatVector z) {
            store(plane + element, add_noise<FloatVector>(load_float(plane + element), z, noise));
        });
    }
}

}  // namespace
}  // namespace rote
