// augment/meaning/noise.h: standard normal numbers as a function of (key, channel, element), and noise on a pixel.
//
// docs/addressing.md, "Noise": four normals come from each Philox block by Box and Muller's formula with a logarithm,
// sine and cosine in float32 of our own. L is what numbers are: one of each (ScalarLanes, also on the device), or the
// lanes of a vector. Only + - * sqrt, bits and compare-and-select, so that all of them agree.
#pragma once

#include <cstdint>
#include <cstring>

#include "augment/meaning/color.h"
#include "rote/augment.h"
#include "rote/philox.h"

#if !defined(__CUDA_ARCH__)
#include <cmath>
#endif

namespace rote {
inline namespace ROTE_LEVEL {

/// Elements whose normals come from 16 consecutive blocks: element 16 j + i of a tile is number j of block i.
constexpr int32_t kNoiseTile = 64, kNoiseTileBlocks = 16;

struct ScalarLanes {
    using Float = float;
    using Int = int32_t;
    using Word = uint32_t;
    static ROTE_HD Float from_int(Int x) { return float(x); }
    static ROTE_HD Float from_word(Word x) { return float(x); }
    static ROTE_HD Float root(Float x) {
#if defined(__CUDA_ARCH__)
        return sqrtf(x);
#else
        return std::sqrt(x);
#endif
    }
};

template <class To, class From>
ROTE_HD To same_bits(From from) {
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

/// sqrt(-2 log u) with u = (word + 1/2) / 2^32 rounded twice, in (0, 1].
template <class L>
ROTE_HD typename L::Float normal_radius(typename L::Word word) {
    using Float = typename L::Float;
    using Int = typename L::Int;
    using Word = typename L::Word;
    const Word bits = same_bits<Word>(L::from_word(word) * 0x1p-32f + 0x1p-33f);
    // u = 2^exponent (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) = f - f^2 / 2 + f^3 P(f), a minimax fit.
    const Int exponent = (Int)(bits - 0x3f3504f3u) >> 23;
    const Float f = same_bits<Float>(bits - ((Word)exponent << 23)) - 1.0f;
    Float p = f * 0x1.6d469ep-4f - 0x1.25e46ap-3f;
    p = p * f + 0x1.30ae24p-3f;
    p = p * f - 0x1.5343a2p-3f;
    p = p * f + 0x1.98e430p-3f;
    p = p * f - 0x1.000494p-2f;
    p = p * f + 0x1.5556b6p-2f;
    const Float log = L::from_int(exponent) * 0x1.62e430p-1f + (f + (f * f) * (p * f - 0.5f));
    return L::root(log * -2.0f);
}

/// Two independent normals: `radius` times cosine and sine of an angle, of which the word's top bits choose the octant.
template <class L>
ROTE_HD void normal_pair(typename L::Float radius, typename L::Word word, typename L::Float& first,
                         typename L::Float& second) {
    using Float = typename L::Float;
    using Int = typename L::Int;
    using Word = typename L::Word;
    const Float t = L::from_int((Int)(word & 0x1fffffffu)) * 0x1.921fb6p-30f;  // in [0, pi / 4]
    const Float s = t * t;
    const Float sine = t + (t * s) * ((s * -1.9517298e-4f + 8.3321780e-3f) * s - 0.16666655f);
    const Float cosine = 1.0f - s * (0.5f - s * ((s * 2.4438452e-5f - 1.3887368e-3f) * s + 4.1666646e-2f));
    const auto swapped = (word & 0x20000000u) != 0u;
    first = radius * (swapped ? sine : cosine);
    second = radius * (swapped ? cosine : sine);
    first = same_bits<Float>(same_bits<Word>(first) ^ (word & 0x80000000u));
    second = same_bits<Float>(same_bits<Word>(second) ^ ((word << 1) & 0x80000000u));
}

/// The four normals of one block (lane for lane), from its four words.
template <class L>
ROTE_HD void block_normals(const typename L::Word (&words)[4], typename L::Float (&normals)[4]) {
    normal_pair<L>(normal_radius<L>(words[0]), words[1], normals[0], normals[1]);
    normal_pair<L>(normal_radius<L>(words[2]), words[3], normals[2], normals[3]);
}

/// A view's own 64-bit key, low word first, as its row holds it.
struct NoiseKey {
    uint32_t low, high;
};

ROTE_HD NoiseKey noise_key(const int32_t* words) {
    return {uint32_t(words[0]), uint32_t(words[1])};
}

/// The four normals of one block of a channel: elements tile + i, tile + 16 + i, ... of block 16 (tile / 64) + i.
ROTE_HD void normals_of_block(NoiseKey key, int32_t channel, int32_t block, float (&normals)[4]) {
    const Philox4x32 random = philox4x32_10(uint32_t(block), uint32_t(channel), 0, 0, key.low, key.high);
    block_normals<ScalarLanes>(random.word, normals);
}

/// Normal number `element` of a channel.
ROTE_HD float standard_normal(NoiseKey key, int32_t channel, int32_t element) {
    float normals[4];
    normals_of_block(key, channel, kNoiseTileBlocks * (element / kNoiseTile) + element % kNoiseTileBlocks, normals);
    return normals[element % kNoiseTile / kNoiseTileBlocks];
}

struct NoiseParameters {
    bool applied, clip;
    float mean, sigma;
    NoiseKey key;
};

ROTE_HD NoiseParameters noise_parameters(const AugmentStep& step, const int32_t* row) {
    const int32_t* const fields = row + step.row_offset;
    return {fields[0] != 0, step.constants[2] != 0, float(step.constants[0]), float(step.constants[1]),
            noise_key(fields + 1)};
}

/// The pixel x with the noise of the standard normal z: torchvision's sum, in its order.
template <class V>
ROTE_HD V add_noise(V x, V z, const NoiseParameters& noise) {
    x = x + (z * noise.sigma + noise.mean);
    return noise.clip ? clamp_unit<V>(x) : x;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
