// augment/cpu/source.h: where the pixels of a pass come from: float planes, bytes of the bank, rows with a fill, or the
// narrowed rows of a resize. Included by executor_* only.
#pragma once

#include "augment/cpu/narrow.h"

namespace rote {
namespace {

/// The pixels of C channels from `channel` on, in runs: pieces of memory without gaps. A run is the whole image where
/// its rows lie one behind the other, else a row.
template <int C>
class Source {
  public:
    Source(View& view, int32_t channel) : view_(view), channel_(channel) {
        if (view.resize.owed) {
            kind_ = view.resize.taps_y.taps == 2 ? Kind::two_rows : Kind::many_rows;
            view.resize.narrowed = view.resize.from_bank ? 0 : view.resize.window.height;
        } else if (!view.in_bank) {
            kind_ = Kind::floats;
            for (int c = 0; c < C; ++c) floats_[c] = view.plane(channel + c);
        } else {
            fill_is_byte_ = !view.has_fill || is_unit_byte(view.fill);
            const uint8_t fill = fill_is_byte_ && view.has_fill ? byte_of_unit(view.fill) : uint8_t(0);
            gather_ = plan_gather(view.columns(), view.width, view.plan->in_width,
                                  view.part<uint8_t>(view.layout->gather_controls), fill);
            kind_ = fill_is_byte_ ? Kind::bytes : Kind::floats;
            if (fill_is_byte_) gather_planes();
        }
    }

    /// Whether the image can be read as one run; else row by row.
    bool in_one_run() const { return kind_ == Kind::bytes || (kind_ == Kind::floats && !view_.in_bank); }
    const uint8_t* bytes(int c) const { return kind_ == Kind::bytes ? bytes_[c] : nullptr; }

    /// Where row y begins for load_block.
    int64_t row_offset(int32_t y) const {
        return kind_ == Kind::bytes || (kind_ == Kind::floats && !view_.in_bank) ? int64_t(y) * view_.width : 0;
    }

    /// Before the blocks of row y; rows come in order.
    ROTE_INLINE void begin_row(int32_t y) {
        if (kind_ == Kind::bytes) return;
        if (view_.resize.owed) return begin_resized_row(y);
        if (view_.in_bank) return read_filled_row(y);
    }

    /// A block of the run from x on; lanes beyond the run hold something finite.
    ROTE_INLINE void load_block(int64_t x, Block<C>& block) const {
        switch (kind_) {
            case Kind::floats:
                return visit(block, [=](FloatPair& v, int c) { v = load_pair(floats_[c] + x); });
            case Kind::bytes:
                return visit(block, [=](FloatPair& v, int c) {
                    v = {unit_from_bytes(bytes_[c] + x), unit_from_bytes(bytes_[c] + x + kLanes)};
                });
            case Kind::two_rows:
                return visit(block, [=](FloatPair& v, int c) {
                    v = load_pair(floats_[c] + x) * weight0_ + load_pair(seconds_[c] + x) * weight1_;
                });
            default:
                return visit(block,
                             [=](FloatPair& v, int c) { v = {sum_of_rows(c, x), sum_of_rows(c, x + kLanes)}; });
        }
    }

  private:
    enum class Kind { floats, bytes, two_rows, many_rows };

    static uint8_t byte_of_unit(float value) { return uint8_t(value * 255.0f + 0.5f); }
    static bool is_unit_byte(float value) {
        return value >= 0.0f && value <= 1.0f && unit_from_byte<float>(float(byte_of_unit(value))) == value;
    }

    /// All rows of the channels as bytes [height, width]. The spare planes are free meanwhile.
    void gather_planes() {
        for (int c = 0; c < C; ++c) {
            uint8_t* const plane = reinterpret_cast<uint8_t*>(view_.spare_plane(c));
            gather_rows(gather_, view_.bytes + (channel_ + c) * view_.byte_stride_c, view_.byte_stride_h, view_.rows(),
                        view_.height, view_.part<uint8_t>(view_.layout->byte_rows), plane);
            bytes_[c] = plane;
        }
    }

    /// A row in which pixels may be a fill that no byte stands for.
    void read_filled_row(int32_t y) {
        const int32_t from = view_.rows()[y];
        const FloatVector fill = splat<FloatVector>(view_.fill);
        uint8_t* const row = view_.part<uint8_t>(view_.layout->byte_rows);
        const int32_t* const columns = view_.columns();
        for (int c = 0; c < C; ++c) {
            float* const out = view_.spare_plane(c);
            if (from >= 0)
                gather_row(gather_, view_.bytes + (channel_ + c) * view_.byte_stride_c + from * view_.byte_stride_h,
                           row + view_.layout->byte_pitch, row);
            for (int32_t x = 0; x < view_.width; x += kLanes)
                store(out + x, from < 0 ? fill : (load<IntVector>(columns + x) < 0 ? fill : unit_from_bytes(row + x)));
            floats_[c] = out;
        }
    }

    ROTE_INLINE void begin_resized_row(int32_t y) {
        OwedResize& resize = view_.resize;
        const TapTable& taps = resize.taps_y;
        const int32_t last_row = resize.window.height - 1;
        first_ = taps.first[y];
        const int32_t last = first_ + taps.taps - 1 < last_row ? first_ + taps.taps - 1 : last_row;
        if (resize.narrowed <= last) narrow_rows(view_, channel_, C, last + 1);
        const int32_t second = first_ + 1 < last_row ? first_ + 1 : last_row;
        for (int c = 0; c < C; ++c) {
            floats_[c] = narrowed_plane(c) + int64_t(first_ & resize.ring_mask) * resize.pitch;
            seconds_[c] = narrowed_plane(c) + int64_t(second & resize.ring_mask) * resize.pitch;
        }
        weights_ = taps.weights + y;
        weight0_ = weights_[0];
        weight1_ = taps.taps > 1 ? weights_[taps.pitch] : 0.0f;
    }

    const float* narrowed_plane(int c) const {
        return view_.spare_plane(view_.resize.from_bank ? c : channel_ + c);
    }

    FloatVector sum_of_rows(int c, int64_t x) const {
        const OwedResize& resize = view_.resize;
        const int32_t last_row = resize.window.height - 1;
        FloatVector sum = load_float(floats_[c] + x) * weight0_;
        for (int32_t t = 1; t < resize.taps_y.taps; ++t) {
            const int32_t from = first_ + t < last_row ? first_ + t : last_row;
            const float* const row = narrowed_plane(c) + int64_t(from & resize.ring_mask) * resize.pitch;
            sum = sum + load_float(row + x) * weights_[int64_t(t) * resize.taps_y.pitch];
        }
        return sum;
    }

    View& view_;
    const int32_t channel_;
    Kind kind_;
    bool fill_is_byte_ = true;
    RowGather gather_;
    const float* floats_[C] = {};
    const float* seconds_[C] = {};
    const uint8_t* bytes_[C] = {};
    int32_t first_ = 0;
    const float* weights_ = nullptr;
    float weight0_ = 0.0f, weight1_ = 0.0f;
};

}  // namespace
}  // namespace rote
