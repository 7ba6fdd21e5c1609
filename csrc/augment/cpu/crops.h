// augment/cpu/crops.h: flips and padded crops on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"

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

inline void flip_vertically(View& view) {
    int32_t* const rows = view.rows();
    for (int32_t y = 0, last = view.height - 1; y < last; ++y, --last) {
        if (view.in_bank) {
            const int32_t kept = rows[y];
            rows[y] = rows[last];
            rows[last] = kept;
            continue;
        }
        for (int32_t c = 0; c < view.plan->channels; ++c) {
            float* const upper = view.plane(c) + int64_t(y) * view.width;
            float* const lower = view.plane(c) + int64_t(last) * view.width;
            for (int32_t x = 0; x < view.width; ++x) {
                const float kept = upper[x];
                upper[x] = lower[x];
                lower[x] = kept;
            }
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

/// RandomCrop and CenterCrop.
__attribute__((noinline)) void padded_crop(View& view, const AugmentStep& step) {
    const CropWindow window = padded_window(step, view.row);
    const Padding padding = padding_of(step);
    const int32_t mode = padding.mode;
    const float fill = padding.fill;
    int32_t* const index = view.part<int32_t>(view.layout->gather_index);
    const bool fills = window.top < 0 || window.left < 0 || window.top + window.height > step.in_height ||
                       window.left + window.width > step.in_width;
    if (view.in_bank && view.has_fill && fills && mode == 0 && fill != view.fill) to_planes(view);
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

}  // namespace
}  // namespace rote
