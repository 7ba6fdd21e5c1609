// rote/random.h: words of the address space for the Python side (labels, pools, orders).
#pragma once

#include <cstdint>

namespace rote {

/// out[i] = word of slot `slot` of (seed, images[i], views[i], stream). Out-of-range ids, views, streams and
/// slots are ArgumentErrors that name the first offender.
void address_words(uint64_t seed, const int64_t* images, const int64_t* views, int64_t count, int64_t stream,
                   int64_t slot, int64_t* out, int num_threads);

}  // namespace rote
