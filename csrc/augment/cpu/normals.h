// augment/cpu/normals.h: standard normal numbers by key on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/philox.h"
#include "augment/meaning/noise.h"

namespace rote {
namespace {

struct VectorLanes {
    using Float = FloatVector;
    using Int = IntVector;
    using Word = WordVector;
    static Float from_int(Int x) { return __builtin_convertvector(x, Float); }
    static Float from_word(Word x) {
        // Both halves and the product are exact, so that the sum is rounded once, as a conversion would be.
        return from_int((Int)(x >> 16)) * 65536.0f + from_int((Int)(x & 0xffffu));
    }
    static Float root(Float x) {
#if defined(__AVX512F__)
        return (Float)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
        return (Float)_mm256_sqrt_ps((__m256)x);
#else
        Float y;
        for (int i = 0; i < kLanes; ++i) y[i] = ScalarLanes::root(x[i]);
        return y;
#endif
    }
};

/// fn(element, normals of elements element .. element + kLanes - 1) for the first `count` elements of a channel; the
/// last vector may hold elements behind them.
template <class Fn>
inline void for_each_normal(NoiseKey key, int32_t channel, int32_t count, Fn&& fn) {
    WordVector lane;
    for (int i = 0; i < kLanes; ++i) lane[i] = uint32_t(i);
    for (int32_t tile = 0; tile < count; tile += kNoiseTile)
        for (int32_t part = 0; part < kNoiseTileBlocks; part += kLanes) {
            if (tile + part >= count) return;
            WordVector words[4];
            FloatVector normals[4];
            words[0] = lane + uint32_t(tile / kNoiseTile * kNoiseTileBlocks + part);
            words[1] = WordVector{} + uint32_t(channel);
            words[2] = words[3] = WordVector{};
            philox_lanes(words, key.low, key.high);
            block_normals<VectorLanes>(words, normals);
            for (int32_t j = 0; j < 4; ++j) {
                const int32_t element = tile + kNoiseTileBlocks * j + part;
                if (element < count) fn(element, normals[j]);
            }
        }
}

}  // namespace
}  // namespace rote
