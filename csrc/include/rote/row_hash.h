// rote/row_hash.h: a 64-bit hash of every row of a matrix of bytes, for counting different views by their pixels.
#pragma once

#include <cstdint>

namespace rote {

/// Lanes of the hash: a row's 64-bit words are dealt to them in turn, so that their multiplications overlap.
constexpr int kRowHashLanes = 8;

/// splitmix64's finalizer (Steele, Lea, Flood 2014): a permutation of 64-bit words in which every bit of the argument
/// changes every bit of the value about half of the time.
inline uint64_t row_hash_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// What a lane becomes by a word: a permutation of the lane for every word, and of the word for every lane.
inline uint64_t row_hash_step(uint64_t lane, uint64_t word) {
    lane = (lane ^ word) * 0x9e3779b97f4a7c15u;
    return lane ^ (lane >> 32);
}

/// out[i] = hash of the row_bytes bytes from rows + i * stride on.
///
/// Lane l starts as mix(seed + l + 1); word j (little-endian, the last one padded with zeros) steps lane j mod 8; the
/// hash begins as mix(seed ^ row_bytes), is stepped by the mixed lanes in order, and mixed. Not cryptographic: two rows
/// made without knowledge of the seed agree by chance once in 2^64.
void row_hashes(const void* rows, int64_t count, int64_t row_bytes, int64_t stride, uint64_t seed, uint64_t* out,
                int num_threads);

}  // namespace rote
