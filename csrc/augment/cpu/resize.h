// augment/cpu/resize.h: crop and resize on vectors, columns first. Included by executor_* only.
#pragma once

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

/// Lets the narrowed rows of a large image share a ring that holds the taps of an output row. A row may be overrun by a vector, so that
/// rows of a ring, which are not written in order, are whole vectors.
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

/// Crop and resize; `mirror` also applies a horizontal flip that follows.
inline void random_resized_crop(View& view, int32_t step_index, bool mirror) {
    const AugmentStep& step = view.plan->steps[step_index];
    const ResizeTables& tables = *view.tables;
    if (view.resize.owed || view.chain.count > 0 || view.has_fill) to_planes(view);
    OwedResize resize;
    resize.window = crop_window(step, view.row);
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
