// knn/hopper_hits.h: what the epilogue found, collected per warp in shared memory and handed over several dozen at a
// time, so that the latency of the counters in global memory is paid rarely.
//
// `Warp` is the 32 threads that call together: lane(), any(bool), any_bits(mask), ballot(bool), sum(int), from(value,
// lane), sync(). `Sink` takes candidates: admits(row, position); reserve(row, count) returns the first of `count`
// places; store(row, place, position, score). On the device both are in cuda_sm90.cu; in
// csrc/tests/test_knn_hopper_filter.cpp lanes are threads.
#pragma once

#include <cstdint>

#include "knn/hopper_schedule.h"

namespace rote::hopper {

ROTE_HD int bit_count(uint32_t bits) {
#if defined(__CUDA_ARCH__)
    return __popc(bits);
#else
    return __builtin_popcount(bits);
#endif
}

/// Of bits that are not all zero.
ROTE_HD int lowest_bit(uint32_t bits) {
#if defined(__CUDA_ARCH__)
    return __ffs(int(bits)) - 1;
#else
    return __builtin_ctz(bits);
#endif
}

constexpr int kQuad = 4;  // lanes that hold columns of the same row

/// Hits of one warp. An entry is a word of row and position, both within the work item, and the score.
template <class Warp, class Sink>
class HitQueue {
  public:
    /// `storage`: kQueueBytes of shared memory.
    ROTE_HD HitQueue(Warp warp, Sink sink, uint32_t* storage) : warp_(warp), sink_(sink), storage_(storage) {}

    ROTE_HD Warp& warp() { return warp_; }

    /// Rows and positions are given from here on relative to these. The queue must be empty.
    ROTE_HD void start_item(int32_t first_row, int32_t first_position) {
        first_row_ = first_row;
        first_position_ = first_position;
    }

    /// Called by the whole warp; adds one hit per lane that has one.
    ROTE_HD void push(bool has, int row, int position, float score) {
        const uint32_t lanes = warp_.ballot(has);
        if (has) {
            const int place = size_ + bit_count(lanes & ((1u << warp_.lane()) - 1u));
            storage_[place] = uint32_t(row) << kPositionBits | uint32_t(position);
            scores()[place] = score;
        }
        size_ += bit_count(lanes);
        if (size_ > kQueueEntries - kWarpThreads) flush();
    }

    /// Hands all entries over; counters first, so that their latencies overlap.
    ROTE_HD void flush() {
        constexpr int kRounds = kQueueEntries / kWarpThreads;
        int32_t row[kRounds], position[kRounds], place[kRounds];
        bool admitted[kRounds];
        warp_.sync();
        ROTE_UNROLL
        for (int i = 0; i < kRounds; ++i) {
            const int entry = i * kWarpThreads + warp_.lane();
            const uint32_t word = entry < size_ ? storage_[entry] : 0;
            row[i] = first_row_ + int32_t(word >> kPositionBits);
            position[i] = first_position_ + int32_t(word & ((1u << kPositionBits) - 1u));
            admitted[i] = entry < size_ && sink_.admits(row[i], position[i]);
        }
        ROTE_UNROLL
        for (int i = 0; i < kRounds; ++i) place[i] = admitted[i] ? sink_.reserve(row[i], 1) : 0;
        ROTE_UNROLL
        for (int i = 0; i < kRounds; ++i)
            if (admitted[i]) sink_.store(row[i], place[i], position[i], scores()[i * kWarpThreads + warp_.lane()]);
        size_ = 0;
        warp_.sync();
    }

    /// Hits by the hundred, past the queue: bit j of `elements` says that scores[j] at position + 8 (j / 2) + j % 2 is
    /// one. The four lanes of a quad have the same row, and reserve their places together.
    template <int kCount>
    ROTE_HD void hand_over(uint32_t elements, int row, int position, const float (&scores)[kCount]) {
        ROTE_UNROLL
        for (int j = 0; j < kCount; ++j)
            if (elements >> j & 1 && !sink_.admits(first_row_ + row, first_position_ + position + j / 2 * 8 + j % 2))
                elements &= ~(1u << j);
        const int leader = warp_.lane() / kQuad * kQuad, own = bit_count(elements);
        int before = 0, all = 0;
        ROTE_UNROLL
        for (int i = 0; i < kQuad; ++i) {
            const int others = warp_.from(own, leader + i);
            before += leader + i < warp_.lane() ? others : 0;
            all += others;
        }
        int first = 0;
        if (warp_.lane() == leader && all > 0) first = sink_.reserve(first_row_ + row, all);
        int place = warp_.from(first, leader) + before;
        ROTE_UNROLL
        for (int j = 0; j < kCount; ++j)
            if (elements >> j & 1)
                sink_.store(first_row_ + row, place++, first_position_ + position + j / 2 * 8 + j % 2, scores[j]);
    }

  private:
    ROTE_HD float* scores() { return reinterpret_cast<float*>(storage_ + kQueueEntries); }

    Warp warp_;
    Sink sink_;
    uint32_t* storage_;
    int size_ = 0;
    int32_t first_row_ = 0, first_position_ = 0;
};

}  // namespace rote::hopper
