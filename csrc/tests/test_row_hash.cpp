// tests/test_row_hash.cpp: the hash of rows, its tails and strides, threads, and how well it spreads.
#include <algorithm>
#include <cstring>
#include <vector>

#include "check.h"
#include "rote/error.h"
#include "rote/row_hash.h"

using namespace rote;

namespace {

uint64_t hash_of(const std::vector<unsigned char>& row, uint64_t seed = 0) {
    uint64_t out = 0;
    row_hashes(row.data(), 1, int64_t(row.size()), int64_t(row.size()), seed, &out, 1);
    return out;
}

// The definition, byte by byte, without blocks.
uint64_t by_definition(const std::vector<unsigned char>& row, uint64_t seed) {
    uint64_t lane[kRowHashLanes];
    for (int l = 0; l < kRowHashLanes; ++l) lane[l] = row_hash_mix(seed + uint64_t(l) + 1);
    for (size_t word = 0; word * 8 < row.size(); ++word) {
        uint64_t value = 0;
        for (size_t b = 0; b < 8 && word * 8 + b < row.size(); ++b) value |= uint64_t(row[word * 8 + b]) << (8 * b);
        lane[word % kRowHashLanes] = row_hash_step(lane[word % kRowHashLanes], value);
    }
    uint64_t hash = row_hash_mix(seed ^ uint64_t(row.size()));
    for (uint64_t value : lane) hash = row_hash_step(hash, row_hash_mix(value));
    return row_hash_mix(hash);
}

std::vector<unsigned char> bytes(size_t count, uint64_t seed) {
    std::vector<unsigned char> row(count);
    for (size_t i = 0; i < count; ++i) row[i] = (unsigned char)(row_hash_mix(seed + i));
    return row;
}

void test_definition_at_every_length() {
    for (size_t length = 1; length <= 300; ++length)
        for (uint64_t seed : {uint64_t(0), uint64_t(77), ~uint64_t(0)}) {
            const std::vector<unsigned char> row = bytes(length, seed + length);
            CHECK(hash_of(row, seed) == by_definition(row, seed), "length %zu", length);
        }
}

void test_zeros_of_different_lengths_differ() {
    std::vector<uint64_t> hashes;
    for (size_t length = 1; length <= 300; ++length) hashes.push_back(hash_of(std::vector<unsigned char>(length)));
    std::sort(hashes.begin(), hashes.end());
    CHECK(std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end());
}

// Every single bit of a row changes about half of the hash.
void test_avalanche() {
    std::vector<unsigned char> row = bytes(200, 5);
    const uint64_t before = hash_of(row);
    int64_t flipped = 0, lowest = 64, highest = 0;
    for (size_t bit = 0; bit < row.size() * 8; ++bit) {
        row[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        const int count = __builtin_popcountll(before ^ hash_of(row));
        row[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        flipped += count;
        lowest = std::min<int64_t>(lowest, count);
        highest = std::max<int64_t>(highest, count);
    }
    const double mean = double(flipped) / double(row.size() * 8);
    CHECK(mean > 31.5 && mean < 32.5, "%f", mean);
    CHECK(lowest >= 12 && highest <= 52, "%d to %d", int(lowest), int(highest));
}

void test_strides_and_threads() {
    const std::vector<unsigned char> data = bytes(70 * 2000, 9);
    std::vector<uint64_t> one(2000), many(2000);
    row_hashes(data.data(), 2000, 61, 70, 3, one.data(), 1);
    row_hashes(data.data(), 2000, 61, 70, 3, many.data(), 4);
    CHECK(one == many);
    for (int64_t i : {int64_t(0), int64_t(1), int64_t(1999)}) {
        const std::vector<unsigned char> row(data.begin() + i * 70, data.begin() + i * 70 + 61);
        CHECK(one[size_t(i)] == hash_of(row, 3));
    }
}

void test_bad_sizes() {
    uint64_t out = 0;
    const unsigned char byte = 0;
    CHECK_THROWS(ArgumentError, row_hashes(&byte, 1, 0, 1, 0, &out, 1));
    CHECK_THROWS(ArgumentError, row_hashes(&byte, 1, 2, 1, 0, &out, 1));
    row_hashes(&byte, 0, 1, 1, 0, &out, 1);
    CHECK(out == 0);
}

}  // namespace

int main() {
    test_definition_at_every_length();
    test_zeros_of_different_lengths_differ();
    test_avalanche();
    test_strides_and_threads();
    test_bad_sizes();
    std::puts("row_hash: ok");
}
