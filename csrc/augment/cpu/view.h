// augment/cpu/view.h: one view on its way through the vector executors. Included by executor_* only.
//
// A view is where its pixels are, and what is still owed to them. While only crops, paddings and flips have acted, the
// pixels stay in the bank, and two index lists say which row and column an output pixel shows. A resize is owed until
// somebody reads its rows (resize.h), operations of a pixel by itself are owed as a chain (pointwise.h). to_planes pays:
// an operation that needs more than single pixels calls it first and finds float planes.
#pragma once

#include "augment/cpu/executor.h"
#include "augment/cpu/pointwise.h"
#include "augment/cpu/row_gather.h"
#include "augment/meaning/windows.h"

namespace rote {
namespace {

/// A resize that is still owed: output row y is a weighted sum of narrowed rows, rows of the crop resized along x.
/// Narrowed row r of channel c lies at spare_plane(c) + (r & ring_mask) * pitch.
struct OwedResize {
    bool owed = false;
    bool from_bank = false;  // else all rows of all channels are narrowed already
    TapTable taps_x, taps_y;
    CropWindow window;
    int32_t ring_mask = -1;  // of a ring of rows that stays in the nearest cache; -1: every row has its place
    int32_t pitch = 0;
    int32_t narrowed = 0;  // rows narrowed so far
    // How the taps along x are found (narrow.h).
    bool picks = false, one_base = false;
    RowGather gathers[kMaxGatherTaps];
};

/// One view on its way through a program.
struct View {
    const AugmentPlan* plan;
    const ImageView<const uint8_t>* bank;
    const ResizeTables* tables;
    const ScratchLayout* layout;
    const Normalization* normalizations;  // by step
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
    OwedResize resize;
    PointwiseChain chain;
    bool has_tables = false;  // of bytes (lookup.h); they outlive the view
    const Normalization* tables_key = nullptr;

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

/// Pays what is owed: afterwards the image is in float planes.
void to_planes(View& view);

/// The same, and the fixed-point sum of the image's grey values; unbounded: pixels may lie outside [0, 1].
template <bool Unbounded>
int64_t grey_sum(View& view);

/// Owes the view an operation of a pixel by itself.
inline void push(View& view, const PointwiseOp& op) {
    if (view.chain.count == kMaxPointwiseOps) to_planes(view);
    view.chain.ops[view.chain.count++] = op;
}

/// Copies an image whose columns are not contiguous.
inline void pack_columns(View& view, const ImageView<const uint8_t>& bank) {
    const AugmentPlan& plan = *view.plan;
    uint8_t* to = view.part<uint8_t>(view.layout->bytes);
    for (int32_t c = 0; c < plan.channels; ++c)
        for (int32_t y = 0; y < plan.in_height; ++y)
            for (int32_t x = 0; x < plan.in_width; ++x)
                *to++ = view.bytes[c * bank.stride_c + y * bank.stride_h + x * bank.stride_w];
    view.bytes = view.part<uint8_t>(view.layout->bytes);
    view.byte_stride_c = int64_t(plan.in_height) * plan.in_width;
    view.byte_stride_h = plan.in_width;
}

/// Asks for an image of the bank ahead of its turn. Ids jump about, which no hardware prefetcher foresees.
inline void prefetch_image(const AugmentPlan& plan, const ImageView<const uint8_t>& bank, int64_t id) {
    constexpr int64_t kMostBytes = 16384;  // a larger image would push this one out
    const int64_t plane = int64_t(plan.in_height) * plan.in_width;
    if (bank.stride_w != 1 || bank.stride_h != plan.in_width || plane * plan.channels > kMostBytes) return;
    for (int32_t c = 0; c < plan.channels; ++c) {
        const uint8_t* const from = bank.data + id * bank.stride_n + c * bank.stride_c;
        for (int64_t p = 0; p < plane; p += 64) __builtin_prefetch(from + p);
    }
}

inline void open_view(View& view, const ImageView<const uint8_t>& bank, int64_t id) {
    const AugmentPlan& plan = *view.plan;
    view.height = plan.in_height;
    view.width = plan.in_width;
    view.in_bank = true;
    view.has_fill = false;
    view.resize.owed = false;
    view.chain.count = 0;
    view.planes = view.part<float>(view.layout->planes);
    view.spare = view.part<float>(view.layout->spare);
    view.bytes = bank.data + id * bank.stride_n;
    view.byte_stride_c = bank.stride_c;
    view.byte_stride_h = bank.stride_h;
    if (bank.stride_w != 1) pack_columns(view, bank);
    const IntVector lanes = lane_numbers();  // index lists may be overrun by a vector
    for (int32_t x = 0; x < view.width; x += kLanes) store(view.columns() + x, lanes + x);
    for (int32_t y = 0; y < view.height; y += kLanes) store(view.rows() + y, lanes + y);
}

}  // namespace
}  // namespace rote
