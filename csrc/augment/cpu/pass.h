// augment/cpu/pass.h: one pass over the pixels of a view: load from the source, the chain, store to the target. Included
// by executor_* only.
#pragma once

#include "augment/cpu/source.h"

namespace rote {
namespace {

/// C channels from `channel` on. Target has store_half(block, half, y, x, valid), valid <= kPair pixels from x on in
/// row y, and in_one_run(): then it takes the whole image as its row 0.
template <int C, class Target>
__attribute__((flatten)) inline void run_pass(View& view, int32_t channel, Target& target) {
    Source<C> source(view, channel);
    const bool one_run = source.in_one_run() && target.in_one_run();
    const int32_t rows = one_run ? 1 : view.height;
    const int64_t length = one_run ? int64_t(view.height) * view.width : view.width;
    // A block of two halves holds pixels of two short rows.
    const bool two_rows = kHalves == 2 && !source.in_one_run() && length <= kPair;
    for (int32_t y = 0; y < rows; y += two_rows ? 2 : 1) {
        source.begin_row(y, two_rows && y + 1 < rows);
        const int64_t from = source.row_offset(y);
        for (int64_t x = 0; x < length; x += two_rows ? kPair : kBlock) {
            Block<C> block;
            source.load_block(from + x, block);
            apply_chain(view.chain, block, channel);
            const int64_t left = length - x;
            target.store_half(block, 0, y, x, left < kPair ? int32_t(left) : kPair);
            if (kHalves == 1) continue;
            if (two_rows && y + 1 < rows)
                target.store_half(block, 1, y + 1, x, left < kPair ? int32_t(left) : kPair);
            else if (!two_rows && left > kPair)
                target.store_half(block, 1, y, x + kPair, left < kBlock ? int32_t(left - kPair) : kPair);
        }
    }
}

/// Whether a pass sums up grey values, and of what pixels: in [0, 1], or from anywhere.
enum class Sums { none, unit, unbounded };

/// Float planes of the view itself; lanes beyond a row are overwritten by the next.
template <int C, Sums kSums>
struct PlanesTarget {
    float* planes[C];
    int32_t width;
    GreySum sum;

    PlanesTarget(const View& view, int32_t channel) : width(view.width) {
        for (int c = 0; c < C; ++c) planes[c] = view.plane(channel + c);
    }
    bool in_one_run() const { return true; }
    ROTE_INLINE void store_half(const Block<C>& block, int half, int32_t y, int64_t x, int32_t valid) {
        const int64_t place = int64_t(y) * width + x;
        visit(block, [=](const Pixels& pixels, int c) { store_pair(planes[c] + place, half_of(pixels, half)); });
        if constexpr (kSums == Sums::unit)
            sum.add(half_of(grey_of_block(block), half), valid);
        else if constexpr (kSums == Sums::unbounded)
            sum.add(half_of(bounded_grey<Pixels>(grey_of_block(block)), half), valid);
    }
};

template <Sums kSums>
__attribute__((noinline)) int64_t pass_to_planes(View& view) {
    int64_t sum = 0;
    if (view.plan->channels == 3) {
        PlanesTarget<3, kSums> target(view, 0);
        run_pass<3>(view, 0, target);
        sum = target.sum.total();
    } else {
        for (int32_t c = 0; c < view.plan->channels; ++c) {
            PlanesTarget<1, kSums> target(view, c);
            run_pass<1>(view, c, target);
            sum = target.sum.total();  // only asked of one channel
        }
    }
    view.in_bank = false;
    view.has_fill = false;
    view.resize.owed = false;
    view.chain.count = 0;
    return sum;
}

void to_planes(View& view) {
    if (view.in_bank || view.resize.owed || view.chain.count > 0) pass_to_planes<Sums::none>(view);
}

template <bool Unbounded>
int64_t grey_sum(View& view) {
    return pass_to_planes<Unbounded ? Sums::unbounded : Sums::unit>(view);
}

}  // namespace
}  // namespace rote
