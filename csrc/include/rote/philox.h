// rote/philox.h: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <cstdint>

#include "rote/host_device.h"
#include "rote/level.h"

namespace rote {
inline namespace ROTE_LEVEL {

struct Philox4x32 {
    uint32_t word[4];
};

/// Ten rounds over a 128-bit counter (least significant word first) under a 64-bit key. Pure; no state.
ROTE_HD Philox4x32 philox4x32_10(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t product0 = uint64_t(0xD2511F53u) * c0;
        const uint64_t product1 = uint64_t(0xCD9E8D57u) * c2;
        const uint32_t high0 = uint32_t(product0 >> 32), low0 = uint32_t(product0);
        const uint32_t high1 = uint32_t(product1 >> 32), low1 = uint32_t(product1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

}  // namespace ROTE_LEVEL
}  // namespace rote
