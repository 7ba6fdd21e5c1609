// knn/cuda/hopper_hits.h: what the epilogue found, collected per warp in shared memory and handed over several dozen at
// a time, so that the latency of the counters in global memory is paid rarely.
//
// `Warp` is the 32 threads that call together: lane(), any(bool), any_bits(mask), ballot(bool), from(value, lane),
// sync(). `Sink` takes candidates: restricted() says whether some pairs are not admitted; reference(position) and then
// admits(row, reference) tell which; reserve(row, count) returns the first of `count` places; store(row, place,
// position, score). On the device both are in hopper_roles.cuh; in csrc/tests/test_knn_hopper_filter.cpp lanes are
// threads.
#pragma once

#include <cstdint>

#include "knn/cuda/hopper_schedule.h"

namespace rote::hopper {

ROTE_HD int bit_count(uint32_t bits) {
#if defined(__CUDA_ARCH__)
    return __popc(bits);
#else
    return __builtin_popcount(bits);
#endif
}

constexpr int kQuad = 4;                      // lanes that hold columns of the same row
constexpr int kManyHits = kQueueEntries / 2;  // at one time: they go past the queue

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

    /// Adds a hit of each of `lanes`, of which the calling lane is one if it `has` one. At most kManyHits may be added
    /// between two calls of make_room.
    ROTE_HD void push(uint32_t lanes, bool has, int row, int position, float score) {
        if (has) {
            const int place = size_ + bit_count(lanes & ((1u << warp_.lane()) - 1u));
            storage_[place] = uint32_t(row) << kPositionBits | uint32_t(position);
            scores()[place] = score;
        }
        size_ += bit_count(lanes);
    }

    ROTE_HD void make_room() {
        if (size_ > kQueueEntries - kManyHits) flush();
    }

    /// Hands all entries over. Each step is done for all entries of a lane before the next, so that latencies overlap.
    ROTE_HD void flush() {
        constexpr int kRounds = kQueueEntries / kWarpThreads;
        int32_t row[kRounds], position[kRounds], place[kRounds];
        bool admitted[kRounds];
        warp_.sync();
        ROTE_UNROLL
        for (int i = 0; i < kRounds; ++i) {
            const int entry = i * kWarpThreads + warp_.lane();
            admitted[i] = entry < size_;
            const uint32_t word = admitted[i] ? storage_[entry] : 0;
            row[i] = first_row_ + int32_t(word >> kPositionBits);
            position[i] = first_position_ + int32_t(word & ((1u << kPositionBits) - 1u));
        }
        drop_restricted(admitted, row, position);
        ROTE_UNROLL
        for (int i = 0; i < kRounds; ++i) place[i] = admitted[i] ? sink_.reserve(row[i], 1) : 0;
        ROTE_UNROLL
        for (int i = 0; i < kRounds; ++i)
            if (admitted[i]) sink_.store(row[i], place[i], position[i], scores()[i * kWarpThreads + warp_.lane()]);
        size_ = 0;
        warp_.sync();
    }

    /// Hits by the hundred, past the queue: scores[i] at position + 8 (i / 2) + i % 2 is one if it reaches `limit`. The
    /// four lanes of a quad have the same row, and reserve their places together.
    template <int kCount>
    ROTE_HD void hand_over(float limit, int row, int position, const float (&scores)[kCount]) {
        int32_t rows[kCount], positions[kCount];
        bool admitted[kCount];
        ROTE_UNROLL
        for (int i = 0; i < kCount; ++i) {
            admitted[i] = scores[i] >= limit;
            rows[i] = first_row_ + row;
            positions[i] = first_position_ + position + i / 2 * 8 + i % 2;
        }
        drop_restricted(admitted, rows, positions);
        int own = 0;
        ROTE_UNROLL
        for (int i = 0; i < kCount; ++i) own += admitted[i];
        const int leader = warp_.lane() / kQuad * kQuad;
        int before = 0, all = 0;
        ROTE_UNROLL
        for (int i = 0; i < kQuad; ++i) {
            const int others = warp_.from(own, leader + i);
            before += leader + i < warp_.lane() ? others : 0;
            all += others;
        }
        int first = 0;
        if (warp_.lane() == leader && all > 0) first = sink_.reserve(rows[0], all);
        int place = warp_.from(first, leader) + before;
        ROTE_UNROLL
        for (int i = 0; i < kCount; ++i)
            if (admitted[i]) sink_.store(rows[i], place++, positions[i], scores[i]);
    }

  private:
    template <int kCount>
    ROTE_HD void drop_restricted(bool (&admitted)[kCount], const int32_t (&rows)[kCount],
                                 const int32_t (&positions)[kCount]) {
        if (!sink_.restricted()) return;
        int32_t references[kCount];
        ROTE_UNROLL
        for (int i = 0; i < kCount; ++i) references[i] = admitted[i] ? sink_.reference(positions[i]) : 0;
        ROTE_UNROLL
        for (int i = 0; i < kCount; ++i)
            if (admitted[i]) admitted[i] = sink_.admits(rows[i], references[i]);
    }

    ROTE_HD float* scores() { return reinterpret_cast<float*>(storage_ + kQueueEntries); }

    Warp warp_;
    Sink sink_;
    uint32_t* storage_;
    int size_ = 0;
    int32_t first_row_ = 0, first_position_ = 0;
};

}  // namespace rote::hopper
