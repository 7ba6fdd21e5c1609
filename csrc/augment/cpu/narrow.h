// augment/cpu/narrow.h: resizing along x, from the bytes of the bank, row by row. Included by executor_* only.
//
// AVX-512 turns 32 bytes into two vectors of floats and picks the taps of 16 pixels from those with one permutation
// each. Where 16 pixels draw on more than 32 bytes, and on narrower machines, each tap is a rearrangement of bytes.
#pragma once

#include "augment/cpu/view.h"

namespace rote {
namespace {

#if defined(__AVX512F__)

constexpr int32_t kReach = 32;  // bytes that a pair of float vectors holds

/// The 32 bytes from row[base] on as floats in [0, 1].
struct UnitRow {
    FloatVector low, high;
    explicit UnitRow(const uint8_t* from) : low(unit_from_bytes(from)), high(unit_from_bytes(from + kLanes)) {}
    FloatVector at(IntVector index) const { return __builtin_shuffle(low, high, index); }
};

/// The places of the taps as positions in 32 bytes from a base: of the whole row if the window is that narrow, else of
/// each vector of pixels. False where they do not fit, or the columns do not run evenly.
inline bool plan_picks(const View& view, OwedResize& resize, int32_t out_width, int32_t* index, int32_t* bases) {
    const int32_t* const columns = view.columns() + resize.window.left;
    const int32_t last = resize.window.width - 1, in_width = view.plan->in_width, pitch = view.layout->index_pitch;
    const TapTable& taps = resize.taps_x;
    const int32_t step = last > 0 ? columns[1] - columns[0] : 1;
    if (step != 1 && step != -1) return false;
    for (int32_t x = 0; x <= last; x += kLanes) {
        const IntVector even = (lane_numbers() + x) * step + columns[0];
        const IntVector odd = (even != load<IntVector>(columns + x)) & (lane_numbers() + x <= last);
        const IntVector none{};
        if (memcmp(&odd, &none, sizeof none) != 0) return false;
    }
    const int32_t most_base = in_width > kReach ? in_width - kReach : 0;
    resize.one_base = resize.window.width <= kReach;
    for (int32_t d = 0; d < out_width; d += kLanes) {
        int32_t base = step > 0 ? columns[0] : columns[last];
        if (!resize.one_base) {
            const int32_t end = d + kLanes < out_width ? d + kLanes - 1 : out_width - 1;
            const int32_t a = taps.first[d], b = taps.first[end];
            const int32_t least = a < b ? a : b, reach = (a < b ? b : a) + taps.taps - 1;
            const int32_t greatest = reach < last ? reach : last;
            if (greatest - least >= kReach) return false;
            base = columns[0] + (step > 0 ? least : -greatest);
        }
        base = base < most_base ? base : most_base;
        bases[d / kLanes] = base;
        for (int32_t t = 0; t < taps.taps; ++t) {
            const IntVector from = load<IntVector>(taps.first + d) + t;
            const IntVector place = from < last ? from : IntVector{} + last;
            store(index + int64_t(t) * pitch + d, place * step + (columns[0] - base));
        }
    }
    return true;
}

template <int kTaps>
inline FloatVector weigh(const UnitRow& row, const int32_t* index, int64_t pitch, const TapTable& taps, int32_t d) {
    FloatVector sum = row.at(load<IntVector>(index + d)) * load_float(taps.weights + d);
    const int32_t count = kTaps ? kTaps : taps.taps;
    for (int32_t t = 1; t < count; ++t)
        sum = sum +
              row.at(load<IntVector>(index + t * pitch + d)) * load_float(taps.weights + int64_t(t) * taps.pitch + d);
    return sum;
}

template <int kTaps>
inline void pick_row(const View& view, const uint8_t* row, float* to) {
    const OwedResize& resize = view.resize;
    const int32_t* const index = view.part<int32_t>(view.layout->gather_index);
    const int32_t* const bases = view.part<int32_t>(view.layout->coordinates);
    const int64_t pitch = view.layout->index_pitch;
    if (view.plan->in_width < kReach) {
        uint8_t* const padded = view.part<uint8_t>(view.layout->byte_rows);
        memcpy(padded, row, size_t(view.plan->in_width));
        row = padded;
    }
    if (resize.one_base) {
        const UnitRow pixels(row + bases[0]);
        for (int32_t d = 0; d < view.width; d += kLanes)
            store(to + d, weigh<kTaps>(pixels, index, pitch, resize.taps_x, d));
        return;
    }
    for (int32_t d = 0; d < view.width; d += kLanes)
        store(to + d, weigh<kTaps>(UnitRow(row + bases[d / kLanes]), index, pitch, resize.taps_x, d));
}

/// Rows of 32 pixels at most out of 32 bytes, two taps: everything but the pixels stays in registers.
inline void pick_short_rows(const View& view, int32_t channel, int32_t channels) {
    const OwedResize& resize = view.resize;
    const int32_t* const index = view.part<int32_t>(view.layout->gather_index);
    const int32_t base = view.part<int32_t>(view.layout->coordinates)[0], pitch = view.layout->index_pitch;
    const int32_t* const rows = view.rows() + resize.window.top;
    const float* const weights = resize.taps_x.weights;
    const int32_t next = resize.taps_x.pitch, behind = view.width > kLanes ? kLanes : 0;  // the second vector
    const IntVector index00 = load<IntVector>(index), index01 = load<IntVector>(index + pitch);
    const IntVector index10 = load<IntVector>(index + behind), index11 = load<IntVector>(index + pitch + behind);
    const FloatVector weights00 = load_float(weights), weights01 = load_float(weights + next);
    const FloatVector weights10 = load_float(weights + behind), weights11 = load_float(weights + next + behind);
    for (int32_t c = 0; c < channels; ++c) {
        const uint8_t* const bytes = view.bytes + (channel + c) * view.byte_stride_c + base;
        float* to = view.spare_plane(c);
        for (int32_t y = 0; y < resize.window.height; ++y, to += resize.pitch) {
            const UnitRow row(bytes + rows[y] * view.byte_stride_h);
            store(to, row.at(index00) * weights00 + row.at(index01) * weights01);
            store(to + behind, row.at(index10) * weights10 + row.at(index11) * weights11);
        }
    }
}

inline bool has_short_rows(const View& view) {
    return view.resize.picks && view.resize.one_base && view.resize.taps_x.taps == 2 && view.width <= 2 * kLanes &&
           view.plan->in_width >= kReach;
}

#else

inline bool has_short_rows(const View&) {
    return false;
}
inline void pick_short_rows(const View&, int32_t, int32_t) {}
inline bool plan_picks(const View&, OwedResize&, int32_t, int32_t*, int32_t*) {
    return false;
}
template <int kTaps>
inline void pick_row(const View&, const uint8_t*, float*) {}

#endif

/// Before the first row: how the taps are found. view.width is that of the output.
inline void plan_narrowing(View& view) {
    OwedResize& resize = view.resize;
    const ScratchLayout& layout = *view.layout;
    int32_t* const index = view.part<int32_t>(layout.gather_index);
    resize.picks = plan_picks(view, resize, view.width, index, view.part<int32_t>(layout.coordinates));
    if (resize.picks) return;
    const int32_t* const columns = view.columns() + resize.window.left;
    const int32_t last = resize.window.width - 1;
    for (int32_t t = 0; t < resize.taps_x.taps; ++t) {
        int32_t* const taps = index + t * layout.index_pitch;
        for (int32_t d = 0; d < view.width; ++d) {
            const int32_t from = resize.taps_x.first[d] + t;
            taps[d] = columns[from < last ? from : last];
        }
        resize.gathers[t] = plan_gather(taps, view.width, view.plan->in_width,
                                        view.part<uint8_t>(layout.gather_controls) + t * layout.control_pitch);
    }
}

/// A row by rearranged bytes.
inline void gather_taps(const View& view, const uint8_t* row, float* to) {
    const OwedResize& resize = view.resize;
    const TapTable& taps = resize.taps_x;
    const int64_t pitch = view.layout->byte_pitch;
    uint8_t* const picked = view.part<uint8_t>(view.layout->byte_rows);
    for (int32_t t = 0; t < taps.taps; ++t)
        gather_row(resize.gathers[t], row, picked + kMaxGatherTaps * pitch, picked + t * pitch);
    if (taps.taps == 2) {
        for (int32_t d = 0; d < view.width; d += kLanes)
            store(to + d, unit_from_bytes(picked + d) * load_float(taps.weights + d) +
                              unit_from_bytes(picked + pitch + d) * load_float(taps.weights + taps.pitch + d));
        return;
    }
    for (int32_t d = 0; d < view.width; d += kLanes) {
        FloatVector sum = unit_from_bytes(picked + d) * load_float(taps.weights + d);
        for (int32_t t = 1; t < taps.taps; ++t)
            sum =
                sum + unit_from_bytes(picked + t * pitch + d) * load_float(taps.weights + int64_t(t) * taps.pitch + d);
        store(to + d, sum);
    }
}

/// Narrows the rows of `channels` channels from `channel` on that are not yet, up to row `end`.
__attribute__((noinline)) void narrow_rows(View& view, int32_t channel, int32_t channels, int32_t end) {
    OwedResize& resize = view.resize;
    if (has_short_rows(view) && resize.ring_mask == -1) {
        pick_short_rows(view, channel, channels);
        resize.narrowed = resize.window.height;
        return;
    }
    for (; resize.narrowed < end; ++resize.narrowed) {
        const int64_t slot = int64_t(resize.narrowed & resize.ring_mask) * resize.pitch;
        const uint8_t* row = view.bytes + channel * view.byte_stride_c +
                             view.rows()[resize.window.top + resize.narrowed] * view.byte_stride_h;
        for (int32_t c = 0; c < channels; ++c, row += view.byte_stride_c) {
            float* const to = view.spare_plane(c) + slot;
            if (!resize.picks)
                gather_taps(view, row, to);
            else if (resize.taps_x.taps == 2)
                pick_row<2>(view, row, to);
            else
                pick_row<0>(view, row, to);
        }
    }
}

}  // namespace
}  // namespace rote
