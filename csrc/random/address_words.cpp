// random/address_words.cpp: bulk access to the address space on the CPU.
#include "rote/address.h"
#include "rote/error.h"
#include "rote/random.h"
#include "runtime/parallel.h"

namespace rote {

void address_words(uint64_t seed, const int64_t* images, const int64_t* views, int64_t count, int64_t stream,
                   int64_t slot, int64_t* out, int num_threads) {
    ROTE_CHECK_ARG(stream >= 0 && stream < int64_t(kMaxStreams), "stream: wanted 0 <= stream < 2^16, got ", stream);
    ROTE_CHECK_ARG(slot >= 0 && slot < int64_t(kMaxSlots), "slot: wanted 0 <= slot < 2^26, got ", slot);
    for (int64_t i = 0; i < count; ++i) {
        ROTE_CHECK_ARG(images[i] >= 0 && uint64_t(images[i]) < kMaxImages, "images: wanted ids in [0, 2^40), got ",
                       images[i], " at position ", i);
        ROTE_CHECK_ARG(views[i] >= 0 && uint64_t(views[i]) < kMaxViews, "views: wanted ids in [0, 2^48), got ",
                       views[i], " at position ", i);
    }
    parallel_for(count, 4096, num_threads, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i)
            out[i] = address_block(seed, uint64_t(images[i]), uint64_t(views[i]), uint32_t(stream), uint32_t(slot) >> 2)
                         .word[slot & 3];
    });
}

}  // namespace rote
