// augment/cpu/view.h: one view on its way through the vector executors. Included by executor_* only.
//
// While only crops, paddings and flips have acted, the image stays in the bank: two index lists say which row and
// column an output pixel shows. The first operation that needs more turns it into float planes.
#pragma once

#include "augment/cpu/executor.h"
#include "augment/cpu/vector.h"
#include "augment/meaning/jitter.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"

namespace rote {
namespace {

/// One view on its way through a program.
struct View {
    const AugmentPlan* plan;
    const ImageView<const uint8_t>* bank;
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

/// The columns of a view that is still in the bank.
inline RowGather gather_of(const View& view) {
    return plan_gather(view.columns(), view.width, view.plan->in_width,
                       view.part<uint8_t>(view.layout->gather_controls));
}

/// Row y of channel c of a view in the bank, with fill, as floats; out may be overrun by a vector.
inline void read_filled_row(const View& view, const RowGather& gather, int32_t c, int32_t y, float* out) {
    const int32_t from = view.rows()[y];
    const FloatVector fill = splat<FloatVector>(view.fill);
    uint8_t* const row = view.part<uint8_t>(view.layout->byte_rows);
    const int32_t* const columns = view.columns();
    if (from >= 0)
        gather_row(gather, view.bytes + c * view.byte_stride_c + from * view.byte_stride_h,
                   row + view.layout->byte_pitch, row);
    for (int32_t x = 0; x < view.width; x += kLanes)
        store(out + x, from < 0 ? fill : (load<IntVector>(columns + x) < 0 ? fill : unit_from_bytes(row + x)));
}
/// Channel c of a view in the bank without fill, as bytes [height, width]. The spare planes are free meanwhile.
inline const uint8_t* gather_plane(const View& view, const RowGather& gather, int32_t c) {
    uint8_t* const plane = reinterpret_cast<uint8_t*>(view.spare_plane(c));
    uint8_t* const padded = view.part<uint8_t>(view.layout->byte_rows);
    for (int32_t y = 0; y < view.height; ++y)
        gather_row(gather, view.bytes + c * view.byte_stride_c + view.rows()[y] * view.byte_stride_h, padded,
                   plane + int64_t(y) * view.width);
    return plane;
}

/// From index lists to float planes.
__attribute__((noinline)) void to_planes(View& view) {
    if (!view.in_bank) return;
    const RowGather gather = gather_of(view);
    const int32_t pixels = view.height * view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        if (!view.has_fill) {
            const uint8_t* const bytes = gather_plane(view, gather, c);
            float* const plane = view.plane(c);
            for (int32_t p = 0; p < pixels; p += kLanes) store(plane + p, unit_from_bytes(bytes + p));
            continue;
        }
        for (int32_t y = 0; y < view.height; ++y)
            read_filled_row(view, gather, c, y, view.plane(c) + int64_t(y) * view.width);
    }
    view.in_bank = false;
}

}  // namespace
}  // namespace rote
