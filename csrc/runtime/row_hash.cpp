// runtime/row_hash.cpp: hashes of rows, at about a word a cycle: eight chains of multiplications side by side.
#include "rote/row_hash.h"

#include <cstring>

#include "rote/error.h"
#include "runtime/parallel.h"

namespace rote {
namespace {

// All supported machines are little-endian; a word is its bytes.
uint64_t load_word(const unsigned char* bytes, int64_t count = 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, size_t(count));
    return word;
}

uint64_t row_hash(const unsigned char* row, int64_t bytes, uint64_t seed) {
    uint64_t lane[kRowHashLanes];
    for (int l = 0; l < kRowHashLanes; ++l) lane[l] = row_hash_mix(seed + uint64_t(l) + 1);
    const int64_t block = 8 * kRowHashLanes;
    int64_t done = 0;
    for (; done + block <= bytes; done += block)
        for (int l = 0; l < kRowHashLanes; ++l) lane[l] = row_hash_step(lane[l], load_word(row + done + 8 * l));
    for (int l = 0; done < bytes; ++l, done += 8)
        lane[l] = row_hash_step(lane[l], load_word(row + done, bytes - done < 8 ? bytes - done : 8));
    uint64_t hash = row_hash_mix(seed ^ uint64_t(bytes));
    for (int l = 0; l < kRowHashLanes; ++l) hash = row_hash_step(hash, row_hash_mix(lane[l]));
    return row_hash_mix(hash);
}

}  // namespace

void row_hashes(const void* rows, int64_t count, int64_t row_bytes, int64_t stride, uint64_t seed, uint64_t* out,
                int num_threads) {
    ROTE_CHECK_ARG(row_bytes >= 1, "row_bytes: wanted at least 1, got ", row_bytes);
    ROTE_CHECK_ARG(stride >= row_bytes, "stride: wanted at least row_bytes, ", row_bytes, ", got ", stride);
    const auto* bytes = static_cast<const unsigned char*>(rows);
    const int64_t grain = row_bytes < (int64_t(1) << 16) ? (int64_t(1) << 16) / row_bytes : 1;
    parallel_for(count, grain, num_threads, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i) out[i] = row_hash(bytes + i * stride, row_bytes, seed);
    });
}

}  // namespace rote
