// rote/address.h: random numbers by address, version 1 of docs/addressing.md.
//
// key     = seed (64 bit)
// counter = image (40) | view (48) | stream (16) | block (24), from the least significant bit up
// slot s of a stream is word s mod 4 of block s div 4.
#pragma once

#include <cstdint>

#include "rote/host_device.h"
#include "rote/level.h"
#include "rote/philox.h"

namespace rote {
inline namespace ROTE_LEVEL {

constexpr int kAddressVersion = 1;
constexpr int kImageBits = 40, kViewBits = 48, kStreamBits = 16, kBlockBits = 24;
constexpr uint64_t kMaxImages = uint64_t(1) << kImageBits;
constexpr uint64_t kMaxViews = uint64_t(1) << kViewBits;
constexpr uint32_t kMaxStreams = uint32_t(1) << kStreamBits;
constexpr uint32_t kMaxSlots = uint32_t(1) << (kBlockBits + 2);

/// The counter of a block. Every field must be inside its range: callers check, nothing wraps here.
ROTE_HD Philox4x32 address_counter(uint64_t image, uint64_t view, uint32_t stream, uint32_t block) {
    return {{uint32_t(image), uint32_t(image >> 32) | (uint32_t(view) << 8), uint32_t(view >> 24) | (stream << 24),
             (stream >> 8) | (block << 8)}};
}

/// One block of four words.
ROTE_HD Philox4x32 address_block(uint64_t seed, uint64_t image, uint64_t view, uint32_t stream, uint32_t block) {
    const Philox4x32 c = address_counter(image, view, stream, block);
    return philox4x32_10(c.word[0], c.word[1], c.word[2], c.word[3], uint32_t(seed), uint32_t(seed >> 32));
}

/// A cursor over one stream of one view: words by slot number, the current block kept.
struct AddressStream {
    uint64_t seed, image, view;
    uint32_t stream;
    uint32_t block = ~uint32_t(0);
    Philox4x32 words = {};

    ROTE_HD uint32_t word(uint32_t slot) {
        if ((slot >> 2) != block) {
            block = slot >> 2;
            words = address_block(seed, image, view, stream, block);
        }
        return words.word[slot & 3u];
    }

    /// Uniform in [0, 1): the top 24 bits times 2^-24, exact in float32.
    ROTE_HD double uniform(uint32_t slot) { return double(word(slot) >> 8) * (1.0 / 16777216.0); }

    /// Uniform integer in [0, count), count <= 2^32, by the high half of word * count.
    ROTE_HD uint32_t integer(uint32_t slot, uint64_t count) { return uint32_t((word(slot) * count) >> 32); }
};

ROTE_HD AddressStream address_stream(uint64_t seed, uint64_t image, uint64_t view, uint32_t stream) {
    AddressStream cursor;
    cursor.seed = seed;
    cursor.image = image;
    cursor.view = view;
    cursor.stream = stream;
    return cursor;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
