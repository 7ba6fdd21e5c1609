// augment/cpu/resize.h: crop and resize on vectors, columns first. Included by executor_* only.
#pragma once

#include "augment/cpu/crops.h"
#include "augment/cpu/view.h"

namespace rote {
namespace {

/// The horizontal pass from bytes: every tap of a row is one rearrangement of its bytes.
__attribute__((noinline)) void narrow_from_bank(View& view, const CropWindow& window, const TapTable& taps,
                                                int32_t out_width) {
    const ScratchLayout& layout = *view.layout;
    const int32_t* const columns = view.columns() + window.left;
    RowGather gathers[kMaxGatherTaps];
    for (int32_t t = 0; t < taps.taps; ++t) {
        int32_t* const index = view.part<int32_t>(layout.gather_index) + t * layout.index_pitch;
        for (int32_t d = 0; d < out_width; ++d) {
            const int32_t from = taps.first[d] + t;
            index[d] = columns[from < window.width ? from : window.width - 1];
        }
        gathers[t] =
            plan_gather(index, out_width, view.plan->in_width,
                        view.part<uint8_t>(layout.gather_controls) + int64_t(t) * kMaxGatherChunks * layout.byte_pitch);
    }
    uint8_t* const rows = view.part<uint8_t>(layout.byte_rows);
    uint8_t* const padded = rows + kMaxGatherTaps * layout.byte_pitch;
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t y = 0; y < window.height; ++y) {
            const uint8_t* const from =
                view.bytes + c * view.byte_stride_c + view.rows()[window.top + y] * view.byte_stride_h;
            for (int32_t t = 0; t < taps.taps; ++t) gather_row(gathers[t], from, padded, rows + t * layout.byte_pitch);
            float* const to = view.spare_plane(c) + int64_t(y) * out_width;
            if (taps.taps == 2) {
                const uint8_t* const second = rows + layout.byte_pitch;
                const float* const weights = taps.weights + taps.pitch;
                for (int32_t d = 0; d < out_width; d += kLanes)
                    store(to + d, unit_from_bytes(rows + d) * load_float(taps.weights + d) +
                                      unit_from_bytes(second + d) * load_float(weights + d));
                continue;
            }
            for (int32_t d = 0; d < out_width; d += kLanes) {
                FloatVector sum = unit_from_bytes(rows + d) * load_float(taps.weights + d);
                for (int32_t t = 1; t < taps.taps; ++t)
                    sum = sum + unit_from_bytes(rows + t * layout.byte_pitch + d) *
                                    load_float(taps.weights + int64_t(t) * taps.pitch + d);
                store(to + d, sum);
            }
        }
}

/// The horizontal pass from float planes.
__attribute__((noinline)) void narrow_from_planes(View& view, const CropWindow& window, const TapTable& taps,
                                                  int32_t out_width) {
    const int32_t in_width = view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t y = 0; y < window.height; ++y) {
            const float* const from = view.plane(c) + int64_t(window.top + y) * in_width + window.left;
            float* const to = view.spare_plane(c) + int64_t(y) * out_width;
            for (int32_t d = 0; d < out_width; d += kLanes) {
                FloatVector sum{};
                const IntVector first = load<IntVector>(taps.first + d);
                for (int32_t t = 0; t < taps.taps; ++t) {
                    IntVector index = first + t;
                    index = index < window.width ? index : IntVector{} + (window.width - 1);
                    const FloatVector part =
                        gather(from, index) * load_float(taps.weights + int64_t(t) * taps.pitch + d);
                    sum = t == 0 ? part : sum + part;
                }
                store(to + d, sum);
            }
        }
}

/// The vertical pass: whole rows.
__attribute__((noinline)) void shorten(View& view, int32_t rows_in, const TapTable& taps, int32_t out_height,
                                       int32_t width) {
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t y = 0; y < out_height; ++y) {
            const float* const plane = view.spare_plane(c);
            float* const to = view.plane(c) + int64_t(y) * width;
            const int32_t first = taps.first[y];
            const int32_t second = first + 1 < rows_in ? first + 1 : rows_in - 1;
            const float* const row0 = plane + int64_t(first) * width;
            const float* const row1 = plane + int64_t(second) * width;
            const float weight0 = taps.weights[y], weight1 = taps.weights[taps.pitch + y];
            if (taps.taps == 2) {
                for (int32_t x = 0; x < width; x += kLanes)
                    store(to + x, load_float(row0 + x) * weight0 + load_float(row1 + x) * weight1);
                continue;
            }
            for (int32_t x = 0; x < width; x += kLanes) {
                FloatVector sum = load_float(row0 + x) * weight0 + load_float(row1 + x) * weight1;
                for (int32_t t = 2; t < taps.taps; ++t) {
                    const int32_t from = first + t < rows_in ? first + t : rows_in - 1;
                    sum =
                        sum + load_float(plane + int64_t(from) * width + x) * taps.weights[int64_t(t) * taps.pitch + y];
                }
                store(to + x, sum);
            }
        }
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
    const AxisTables& axis = mirror ? tables.mirrored[step_index] : tables.columns[step_index];
    const TapTable taps_x = find_taps(axis, window.width, mirror, view.part<int32_t>(view.layout->taps_x));
    const TapTable taps_y =
        find_taps(tables.rows[step_index], window.height, false, view.part<int32_t>(view.layout->taps_y));
    if (view.in_bank && (view.has_fill || taps_x.taps > kMaxGatherTaps)) to_planes(view);
    if (view.in_bank)
        narrow_from_bank(view, window, taps_x, step.out_width);
    else
        narrow_from_planes(view, window, taps_x, step.out_width);
    view.in_bank = false;
    view.height = step.out_height;
    view.width = step.out_width;
    shorten(view, window.height, taps_y, step.out_height, step.out_width);
}

}  // namespace
}  // namespace rote
