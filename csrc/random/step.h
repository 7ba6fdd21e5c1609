// random/step.h: which images, and which of their views, a training step shows. Pure functions of the step's number.
#pragma once

#include <cstdint>

#include "rote/address.h"
#include "rote/random.h"

namespace rote {

constexpr uint32_t kPoolViewsStream = 0x8002, kOrderStream = 0x8003;
constexpr uint32_t kFeistelRounds = 8;
/// Views from here on are never trained on (docs/addressing.md), so neither are epochs.
constexpr uint64_t kTrainedViews = kMaxViews / 2;

/// The smallest h >= 1 with 2^(2h) >= n.
ROTE_HD uint32_t feistel_half_bits(uint64_t n) {
    uint32_t half_bits = 1;
    while ((uint64_t(1) << (2 * half_bits)) < n) ++half_bits;
    return half_bits;
}

/// Where the keyed permutation of 0 .. n-1 of an epoch takes `position` < n <= 2^40 (docs/addressing.md, order of an
/// epoch): a Feistel network, walked until it falls below n.
ROTE_HD uint64_t permuted(uint64_t seed, uint64_t n, uint64_t epoch, uint64_t position) {
    const uint32_t half_bits = feistel_half_bits(n);
    const uint64_t mask = (uint64_t(1) << half_bits) - 1;
    uint64_t value = position;
    do {
        uint64_t left = value >> half_bits, right = value & mask;
        for (uint32_t round = 0; round < kFeistelRounds; ++round) {
            const uint32_t word = address_block(seed, right, epoch, kOrderStream, round >> 2).word[round & 3];
            const uint64_t mixed = left ^ (word & mask);
            left = right;
            right = mixed;
        }
        value = (left << half_bits) | right;
    } while (value >= n);
    return value;
}

struct SampleAddress {
    int64_t id, view;
};

/// Sample i of a step. An epoch shows every image once, in whole batches: what is left over at its end is dropped. A
/// step that no epoch holds has the address (-1, -1), which no executor renders.
ROTE_HD SampleAddress sample_of_step(const StepOrder& order, int64_t step, int64_t i) {
    const int64_t steps_per_epoch = order.num_images / order.batch_size;
    const int64_t epoch = step / steps_per_epoch;
    if (step < 0 || uint64_t(epoch) >= kTrainedViews) return {-1, -1};
    const int64_t position = (step - epoch * steps_per_epoch) * order.batch_size + i;
    int64_t id = int64_t(permuted(order.seed, uint64_t(order.num_images), uint64_t(epoch), uint64_t(position)));
    if (order.subset) id = order.subset[id];
    if (order.pool == 0) return {id, epoch};
    if (id < 0 || uint64_t(id) >= kMaxImages) return {id, -1};
    AddressStream random = address_stream(order.seed, uint64_t(id), uint64_t(epoch), kPoolViewsStream);
    return {id, int64_t(random.integer(0, uint64_t(order.pool)))};
}

}  // namespace rote
