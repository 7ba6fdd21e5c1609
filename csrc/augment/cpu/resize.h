// augment/cpu/resize.h: crop and resize on vectors, columns first. Included by executor_* only.
#pragma once

#include "augment/cpu/crops.h"
#include "augment/cpu/narrow.h"

namespace rote {
namespace {

/// The horizontal pass from float planes into the spare ones, all rows at once.
__attribute__((noinline)) void narrow_planes(View& view, const OwedResize& resize, int32_t out_width) {
    const TapTable& taps = resize.taps_x;
    const int32_t last = resize.window.width - 1;
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t y = 0; y < resize.window.height; ++y) {
            const float* const from =
                view.plane(c) + int64_t(resize.window.top + y) * view.width + resize.window.left;
            float* const to = view.spare_plane(c) + int64_t(y) * out_width;
            for (int32_t d = 0; d < out_width; d += kLanes) {
                FloatVector sum{};
                const IntVector first = load<IntVector>(taps.first + d);
                for (int32_t t = 0; t < taps.taps; ++t) {
                    const IntVector place = first + t;
                    const FloatVector part = gather(from, place < last ? place : IntVector{} + last) *
                                             load_float(taps.weights + int64_t(t) * taps.pitch + d);
                    sum = t == 0 ? part : sum + part;
                }
                store(to + d, sum);
            }
        }
}

/// Lets the narrowed rows of a large image share a ring that holds the taps of an output row. A row
/// may be overrun by a vector, so that rows of a ring, which are not written in order, are whole vectors.
inline void plan_ring(const View& view, OwedResize& resize) {
    constexpr int64_t kNearBytes = 20000;  // of narrowed rows that the nearest cache keeps beside the rest
    if (int64_t(resize.window.height) * view.width * view.plan->channels * 4 <= kNearBytes) return;
    if (view.width <= kPair) return;  // a pass looks at two rows at once
    int32_t ring = 1;
    while (ring < resize.taps_y.taps) ring *= 2;
    const int32_t pitch = (view.width + kLanes - 1) / kLanes * kLanes;
    if (ring >= resize.window.height || int64_t(ring) * pitch > view.layout->plane_pitch) return;
    resize.ring_mask = ring - 1;
    resize.pitch = pitch;
}

/// Nearest-neighbour resizing moves pixels and makes none, so the image may stay in the bank.
inline void resize_nearest(View& view, const CropWindow& window, const AugmentStep& step) {
    const auto row_from = [&](int32_t y) { return window.top + nearest_source(window.height, step.out_height, y); };
    const auto column_from = [&](int32_t x) { return window.left + nearest_source(window.width, step.out_width, x); };
    int32_t* const index = view.part<int32_t>(view.layout->gather_index);
    if (view.in_bank) {
        for (int32_t x = 0; x < step.out_width; ++x) index[x] = view.columns()[column_from(x)];
        memcpy(view.columns(), index, size_t(step.out_width) * sizeof(int32_t));
        for (int32_t y = 0; y < step.out_height; ++y) index[y] = view.rows()[row_from(y)];
        memcpy(view.rows(), index, size_t(step.out_height) * sizeof(int32_t));
    } else {
        for (int32_t x = 0; x < step.out_width; ++x) index[x] = column_from(x);
        for (int32_t c = 0; c < view.plan->channels; ++c)
            for (int32_t y = 0; y < step.out_height; ++y) {
                const float* const from = view.plane(c) + int64_t(row_from(y)) * view.width;
                float* const to = view.spare_plane(c) + int64_t(y) * step.out_width;
                for (int32_t x = 0; x < step.out_width; ++x) to[x] = from[index[x]];
            }
        view.swap_planes();
    }
    view.height = step.out_height;
    view.width = step.out_width;
}

/// Crop and resize; `mirror` also applies a horizontal flip that follows.
inline void random_resized_crop(View& view, int32_t step_index, bool mirror) {
    const AugmentStep& step = view.plan->steps[step_index];
    const CropWindow window = crop_window(step, view.row);
    if (resize_filter(step).interpolation == Interpolation::nearest) {
        resize_nearest(view, window, step);
        if (mirror) flip(view);
        return;
    }
    const ResizeTables& tables = *view.tables;
    if (view.has_fill) to_planes(view);
    OwedResize resize;
    resize.window = window;
    const AxisTables& axis = mirror ? tables.mirrored[step_index] : tables.columns[step_index];
    resize.taps_x = find_taps(axis, resize.window.width, mirror, view.part<int32_t>(view.layout->taps_x));
    resize.taps_y =
        find_taps(tables.rows[step_index], resize.window.height, false, view.part<int32_t>(view.layout->taps_y));
    if (resize.taps_x.taps > kMaxGatherTaps) to_planes(view);
    resize.from_bank = view.in_bank;
    if (!view.in_bank) narrow_planes(view, resize, step.out_width);
    resize.owed = true;
    resize.pitch = step.out_width;
    view.resize = resize;
    view.height = step.out_height;
    view.width = step.out_width;
    if (!resize.from_bank) return;
    plan_ring(view, view.resize);
    plan_narrowing(view);
}

}  // namespace
}  // namespace rote
