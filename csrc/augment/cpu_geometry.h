// augment/cpu_geometry.h: the geometric operations of the vector executors. Included by the cpu_* files only.
//
// While only crops, paddings and flips have acted, the image stays in the bank: two index lists say which row and
// column an output pixel shows. The first operation that needs more turns it into float planes.
#pragma once

#include "augment/cpu_vector.h"
#include "augment/executor.h"
#include "augment/geometry.h"

namespace rote {
namespace {

/// One view on its way through a program.
struct View {
    const AugmentPlan* plan;
    const ResizeTables* tables;
    const ScratchLayout* layout;
    char* scratch;
    const int32_t* row;

    int32_t height = 0, width = 0;  // of the image as it stands
    bool in_bank = true;            // still bytes behind index lists, else float planes
    const uint8_t* bytes = nullptr;
    int64_t byte_stride_c = 0, byte_stride_h = 0;
    bool has_fill = false;  // an index list holds -1
    float fill = 0.0f;
    float* planes = nullptr;
    float* spare = nullptr;

    template <class T>
    T* part(int64_t offset) const {
        return reinterpret_cast<T*>(scratch + offset);
    }
    int32_t* columns() const { return part<int32_t>(layout->columns); }
    int32_t* rows() const { return part<int32_t>(layout->rows); }
    float* plane(int32_t c) const { return planes + c * layout->plane_pitch; }
    float* spare_plane(int32_t c) const { return spare + c * layout->plane_pitch; }
    void swap_planes() {
        float* const other = planes;
        planes = spare;
        spare = other;
    }
};

inline void open_view(View& view, const ImageView<const uint8_t>& bank, int64_t id) {
    const AugmentPlan& plan = *view.plan;
    view.height = plan.in_height;
    view.width = plan.in_width;
    view.in_bank = true;
    view.has_fill = false;
    view.planes = view.part<float>(view.layout->planes);
    view.spare = view.part<float>(view.layout->spare);
    view.bytes = bank.data + id * bank.stride_n;
    view.byte_stride_c = bank.stride_c;
    view.byte_stride_h = bank.stride_h;
    if (bank.stride_w != 1) {
        uint8_t* const planar = view.part<uint8_t>(view.layout->bytes);
        for (int32_t c = 0; c < plan.channels; ++c)
            for (int32_t y = 0; y < plan.in_height; ++y)
                for (int32_t x = 0; x < plan.in_width; ++x)
                    planar[(int64_t(c) * plan.in_height + y) * plan.in_width + x] =
                        view.bytes[c * bank.stride_c + y * bank.stride_h + x * bank.stride_w];
        view.bytes = planar;
        view.byte_stride_c = int64_t(plan.in_height) * plan.in_width;
        view.byte_stride_h = plan.in_width;
    }
    for (int32_t x = 0; x < view.width; ++x) view.columns()[x] = x;
    for (int32_t y = 0; y < view.height; ++y) view.rows()[y] = y;
}

/// Reads rows of a view that is still in the bank, as floats.
struct BankRows {
    const View* view;
    RowGather gather;

    explicit BankRows(const View& v) : view(&v) {
        gather = plan_gather(v.columns(), v.width, v.plan->in_width, v.part<uint8_t>(v.layout->gather_controls));
    }

    /// Row y of channel c into out, which may be overrun by a vector.
    void read(int32_t c, int32_t y, float* out) const {
        const int32_t from = view->rows()[y];
        const int32_t width = view->width;
        if (from < 0) {
            for (int32_t x = 0; x < width; ++x) out[x] = view->fill;
            return;
        }
        uint8_t* const row = view->part<uint8_t>(view->layout->byte_rows);
        gather_row(gather, view->bytes + c * view->byte_stride_c + from * view->byte_stride_h,
                   row + view->layout->byte_pitch, row);
        for (int32_t x = 0; x < width; x += kLanes) store(out + x, unit_from_bytes(row + x));
        if (!view->has_fill) return;
        for (int32_t x = 0; x < width; ++x)
            if (view->columns()[x] < 0) out[x] = view->fill;
    }
};

/// From index lists to float planes.
inline void leave_bank(View& view) {
    if (!view.in_bank) return;
    const BankRows rows(view);
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t y = 0; y < view.height; ++y) rows.read(c, y, view.plane(c) + int64_t(y) * view.width);
    view.in_bank = false;
}

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

inline void random_crop(View& view, const AugmentStep& step) {
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

/// The horizontal pass from bytes: every tap of a row is one rearrangement of its bytes.
inline void narrow_from_bank(View& view, const CropWindow& window, const TapTable& taps, int32_t out_width) {
    const ScratchLayout& layout = *view.layout;
    const int32_t* const columns = view.columns() + window.left;
    RowGather gathers[kMaxGatherTaps];
    for (int32_t t = 0; t < taps.taps; ++t) {
        int32_t* const index = view.part<int32_t>(layout.gather_index) + t * layout.index_pitch;
        for (int32_t d = 0; d < out_width; ++d) {
            const int32_t from = taps.first[d] + t;
            index[d] = columns[from < window.width ? from : window.width - 1];
        }
        gathers[t] = plan_gather(index, out_width, view.plan->in_width,
                                 view.part<uint8_t>(layout.gather_controls) +
                                     int64_t(t) * kMaxGatherChunks * layout.byte_pitch);
    }
    uint8_t* const rows = view.part<uint8_t>(layout.byte_rows);
    uint8_t* const padded = rows + kMaxGatherTaps * layout.byte_pitch;
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t y = 0; y < window.height; ++y) {
            const uint8_t* const from =
                view.bytes + c * view.byte_stride_c + view.rows()[window.top + y] * view.byte_stride_h;
            for (int32_t t = 0; t < taps.taps; ++t)
                gather_row(gathers[t], from, padded, rows + t * layout.byte_pitch);
            float* const to = view.spare_plane(c) + int64_t(y) * out_width;
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
inline void narrow_from_planes(View& view, const CropWindow& window, const TapTable& taps, int32_t out_width) {
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
inline void shorten(View& view, int32_t rows_in, const TapTable& taps, int32_t out_height, int32_t width) {
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
                    sum = sum + load_float(plane + int64_t(from) * width + x) *
                                    taps.weights[int64_t(t) * taps.pitch + y];
                }
                store(to + x, sum);
            }
        }
}

/// Crop and resize; `mirror` also applies a horizontal flip that follows.
inline void random_resized_crop(View& view, int32_t step_index, bool mirror) {
    const AugmentStep& step = view.plan->steps[step_index];
    const CropWindow window = crop_window(step, view.row);
    const ResizeTables& tables = *view.tables;
    const AxisTables& axis = mirror ? tables.mirrored[step_index] : tables.columns[step_index];
    const TapTable taps_x = find_taps(axis, window.width, mirror, view.part<int32_t>(view.layout->taps_x));
    const TapTable taps_y =
        find_taps(tables.rows[step_index], window.height, false, view.part<int32_t>(view.layout->taps_y));
    if (view.in_bank && (view.has_fill || taps_x.taps > kMaxGatherTaps)) leave_bank(view);
    if (view.in_bank)
        narrow_from_bank(view, window, taps_x, step.out_width);
    else
        narrow_from_planes(view, window, taps_x, step.out_width);
    view.in_bank = false;
    view.height = step.out_height;
    view.width = step.out_width;
    shorten(view, window.height, taps_y, step.out_height, step.out_width);
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

inline void random_affine(View& view, const AugmentStep& step) {
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
