// augment/cpu/source.h: where the pixels of a pass come from: float planes, bytes of the bank, rows with a fill, or the
// narrowed rows of a resize. Included by executor_* only.
#pragma once

#include "augment/cpu/narrow.h"

namespace rote {
namespace {

inline uint8_t byte_of_unit(float value) {
    return uint8_t(value * 255.0f + 0.5f);
}

/// Whether a byte stands for the fill of a view in the bank, if it has one.
inline bool has_byte_fill(const View& view) {
    return !view.has_fill || (view.fill >= 0.0f && view.fill <= 1.0f &&
                              unit_from_byte<float>(float(byte_of_unit(view.fill))) == view.fill);
}

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
        } else {
            const uint8_t fill = view.has_fill && has_byte_fill(view) ? byte_of_unit(view.fill) : uint8_t(0);
            gather_ = plan_gather(view.columns(), view.width, view.plan->in_width,
                                  view.part<uint8_t>(view.layout->gather_controls), fill);
            kind_ = has_byte_fill(view) ? Kind::bytes : Kind::floats;
            if (kind_ == Kind::bytes) gather_planes();
        }
    }

    /// Whether the image can be read as one run; else row by row.
    bool in_one_run() const { return kind_ == Kind::bytes || (kind_ == Kind::floats && !view_.in_bank); }
    
    /// The image as bytes [height, width], where it is that.
    const uint8_t* bytes(int c) const { return bytes_[c]; }

    /// Where row y begins for load_block.
    int64_t row_offset(int32_t y) const { return in_one_run() ? int64_t(y) * view_.width : 0; }

    /// Before the blocks of row y; rows come in order. With `next`, the second halves of blocks are of row y + 1.
    ROTE_INLINE void begin_row(int32_t y, bool next) {
        begin_half(y, 0);
        if (kHalves == 1) return;
        if (next) return begin_half(y + 1, 1);
        rows_[1] = rows_[0];
        for (int c = 0; c < C; ++c) {
            rows_[1].floats[c] += kPair;
            rows_[1].seconds[c] += kPair;
        }
    }

    /// A block of the row from x on; lanes beyond the row hold something finite.
    ROTE_INLINE void load_block(int64_t x, Block<C>& block) const {
        switch (kind_) {
            case Kind::floats:
                return visit(block, [=](Pixels& pixels, int c) {
                    on_halves(pixels, [=](FloatPair& v, int i) { v = load_pair(rows_[i].floats[c] + x); });
                });
            case Kind::bytes:
                return visit(block, [=](Pixels& pixels, int c) {
                    on_halves(pixels, [=](FloatPair& v, int i) {
                        const uint8_t* const from = bytes_[c] + x + i * kPair;
                        v = {unit_from_bytes(from), unit_from_bytes(from + kLanes)};
                    });
                });
            case Kind::two_rows:
                return visit(block, [=](Pixels& pixels, int c) {
                    on_halves(pixels, [=](FloatPair& v, int i) {
                        v = load_pair(rows_[i].floats[c] + x) * rows_[i].weight0 +
                            load_pair(rows_[i].seconds[c] + x) * rows_[i].weight1;
                    });
                });
            default:
                return visit(block, [=](Pixels& pixels, int c) {
                    on_halves(pixels, [=](FloatPair& v, int i) {
                        v = {sum_of_rows(rows_[i], c, x), sum_of_rows(rows_[i], c, x + kLanes)};
                    });
                });
        }
    }

  private:
    enum class Kind { floats, bytes, two_rows, many_rows };

    /// A row that blocks are loaded from: floats, or weighted rows of a resize, of which the first two have pointers.
    struct Row {
        const float* floats[C] = {};
        const float* seconds[C] = {};
        int32_t first = 0;
        const float* weights = nullptr;
        float weight0 = 0.0f, weight1 = 0.0f;
    };

    ROTE_INLINE void begin_half(int32_t y, int half) {
        Row& row = rows_[half];
        if (view_.resize.owed) return begin_resized_row(y, row);
        if (kind_ == Kind::bytes) return;
        for (int c = 0; c < C; ++c) row.floats[c] = view_.in_bank ? filled_row(y, half, c) : view_.plane(channel_ + c);
    }

    /// All rows of the channels as bytes [height, width]. The spare planes are free meanwhile.
    __attribute__((noinline)) void gather_planes() {
        for (int c = 0; c < C; ++c) {
            uint8_t* const plane = reinterpret_cast<uint8_t*>(view_.spare_plane(c));
            gather_rows(gather_, view_.bytes + (channel_ + c) * view_.byte_stride_c, view_.byte_stride_h, view_.rows(),
                        view_.height, view_.part<uint8_t>(view_.layout->byte_rows), plane);
            bytes_[c] = plane;
        }
    }

    /// A row in which pixels may be a fill that no byte stands for.
    __attribute__((noinline)) const float* filled_row(int32_t y, int half, int c) {
        const int32_t from = view_.rows()[y];
        const FloatVector fill = splat<FloatVector>(view_.fill);
        uint8_t* const row = view_.part<uint8_t>(view_.layout->byte_rows);
        const int32_t* const columns = view_.columns();
        float* const out = view_.part<float>(view_.layout->float_rows) + (half * C + c) * view_.layout->float_pitch;
        if (from >= 0)
            gather_row(gather_, view_.bytes + (channel_ + c) * view_.byte_stride_c + from * view_.byte_stride_h,
                       row + view_.layout->byte_pitch, row);
        for (int32_t x = 0; x < view_.width; x += kLanes)
            store(out + x, from < 0 ? fill : (load<IntVector>(columns + x) < 0 ? fill : unit_from_bytes(row + x)));
        return out;
    }

    ROTE_INLINE void begin_resized_row(int32_t y, Row& row) {
        OwedResize& resize = view_.resize;
        const TapTable& taps = resize.taps_y;
        const int32_t last_row = resize.window.height - 1;
        row.first = taps.first[y];
        const int32_t last = row.first + taps.taps - 1 < last_row ? row.first + taps.taps - 1 : last_row;
        if (resize.narrowed <= last) narrow_rows(view_, channel_, C, last + 1);
        const int32_t second = row.first + 1 < last_row ? row.first + 1 : last_row;
        for (int c = 0; c < C; ++c) {
            row.floats[c] = narrowed_row(row.first, c);
            row.seconds[c] = narrowed_row(second, c);
        }
        row.weights = taps.weights + y;
        row.weight0 = row.weights[0];
        row.weight1 = taps.taps > 1 ? row.weights[taps.pitch] : 0.0f;
    }

    const float* narrowed_row(int32_t r, int c) const {
        const OwedResize& resize = view_.resize;
        return view_.spare_plane(resize.from_bank ? c : channel_ + c) + int64_t(r & resize.ring_mask) * resize.pitch;
    }

    __attribute__((noinline)) FloatVector sum_of_rows(const Row& row, int c, int64_t x) const {
        const OwedResize& resize = view_.resize;
        const int32_t last_row = resize.window.height - 1;
        const int64_t from = x + (row.floats[c] - narrowed_row(row.first, c));
        FloatVector sum = load_float(row.floats[c] + x) * row.weight0;
        for (int32_t t = 1; t < resize.taps_y.taps; ++t) {
            const int32_t r = row.first + t < last_row ? row.first + t : last_row;
            sum = sum + load_float(narrowed_row(r, c) + from) * row.weights[int64_t(t) * resize.taps_y.pitch];
        }
        return sum;
    }

    View& view_;
    const int32_t channel_;
    Kind kind_;
    RowGather gather_;
    const uint8_t* bytes_[C] = {};
    Row rows_[2];
};

}  // namespace
}  // namespace rote
