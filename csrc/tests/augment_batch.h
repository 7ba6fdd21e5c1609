// tests/augment_batch.h: the batches, banks and executors that the augmentation tests compare.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rote/address.h"
#include "rote/augment.h"
#include "runtime/simd.h"

namespace rote {

struct Shape {
    int channels, height, width, out_height, out_width;
};

/// Views all over the range of numbers.
struct Batch {
    std::vector<int64_t> ids, views;
    AugmentBatch plain;

    Batch(int64_t count, int64_t images, uint64_t seed) : ids(size_t(count)), views(size_t(count)) {
        for (int64_t i = 0; i < count; ++i) {
            const Philox4x32 words = address_block(seed, uint64_t(i), 0, 0xfff1, 0);
            ids[size_t(i)] = words.word[0] % images;
            views[size_t(i)] = int64_t((uint64_t(words.word[1]) << 16) | (words.word[2] >> 16));
        }
        plain.ids = ids.data();
        plain.views = views.data();
        plain.count = count;
        plain.seed = seed;
    }
};

inline ImageView<const uint8_t> planar(const std::vector<uint8_t>& bank, const Shape& s, int64_t count) {
    const int64_t plane = int64_t(s.height) * s.width;
    return {bank.data(), count, s.channels, s.height, s.width, s.channels * plane, plane, s.width, 1};
}

/// The names of the vector executors this CPU can run.
inline std::vector<std::string> vector_levels() {
    std::vector<std::string> names;
    for (SimdLevel level : compiled_simd_levels())
        if (level <= detected_simd_level()) names.push_back(simd_level_name(level));
    return names;
}

}  // namespace rote
