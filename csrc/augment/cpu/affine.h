// augment/cpu/affine.h: affine maps and rotations on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/texels.h"
#include "augment/cpu/view.h"
#include "augment/meaning/affine.h"

namespace rote {
namespace {

typedef int64_t FixedVector __attribute__((vector_size(kLanes * 4)));  // half as many lanes

constexpr int32_t kMapBlock = 64;  // pixels of a row that are taken through the map together

/// What a block of pixels reads: its texel (bilinear: the upper left of four), the weights of the four, and how much of
/// them lies inside.
struct MappedBlock {
    alignas(64) int32_t texel[kMapBlock];
    alignas(64) float weights[kMapBlock * 4];
    alignas(64) float covered[kMapBlock];
    alignas(64) float samples[kMapBlock * 4];
};

/// One coordinate of successive pixels of a row, in 32.32 fixed point: kLanes pixels in two vectors.
struct Walk {
    FixedVector low{}, high{};
    int64_t step = 0;

    explicit Walk(int64_t per_pixel) : step(per_pixel) {
        int64_t lanes[kLanes];
        for (int i = 0; i < kLanes; ++i) lanes[i] = i * per_pixel;
        low = load<FixedVector>(lanes);
        high = load<FixedVector>(lanes + kLanes / 2);
    }
    Walk from(int64_t start) const {
        Walk walk = *this;
        walk.low = low + start;
        walk.high = high + start;
        return walk;
    }
    void next() {
        low = low + kLanes * step;
        high = high + kLanes * step;
    }
    /// The words of 32 bits at `which`: 0 the fractions, 1 the whole parts.
    template <int which>
    IntVector words() const {
        static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "");
#if defined(__AVX512F__)
        const __m512i index = _mm512_setr_epi32(which, 2 + which, 4 + which, 6 + which, 8 + which, 10 + which,
                                                12 + which, 14 + which, 16 + which, 18 + which, 20 + which, 22 + which,
                                                24 + which, 26 + which, 28 + which, 30 + which);
        return (IntVector)_mm512_permutex2var_epi32((__m512i)low, index, (__m512i)high);
#elif defined(__AVX2__)
        const __m256 pairs = _mm256_shuffle_ps((__m256)low, (__m256)high, which ? 0xdd : 0x88);
        return (IntVector)_mm256_permute4x64_epi64(_mm256_castps_si256(pairs), 0xd8);
#else
        const IntVector first = (IntVector)low, second = (IntVector)high;
        return IntVector{first[which], first[2 + which], second[which], second[2 + which]};
#endif
    }
};

/// Texel column or row of a pixel coordinate: beyond the border's reach all is border.
inline IntVector texel_place(IntVector pixel, int32_t extent) {
    const WordVector place = (WordVector)(pixel + 1), last = WordVector{} + uint32_t(extent + 1);
    return (IntVector)(place < last ? place : last);
}

inline FloatVector inside_lanes(IntVector pixel, int32_t extent) {
    return (WordVector)pixel < WordVector{} + uint32_t(extent) ? splat<FloatVector>(1.0f) : splat<FloatVector>(0.0f);
}

inline FloatVector rest_lanes(IntVector fraction) {
    return __builtin_convertvector((IntVector)((WordVector)fraction >> 8), FloatVector) * (1.0f / 16777216.0f);
}

/// Where `count` pixels of a row, whole vectors, read.
inline void map_nearest(Walk& xs, Walk& ys, const View& view, int32_t pitch, int32_t count, MappedBlock& block) {
    for (int32_t j = 0; j < count; j += kLanes, xs.next(), ys.next())
        store(block.texel + j,
              texel_place(ys.words<1>(), view.height) * pitch + texel_place(xs.words<1>(), view.width));
}

inline void map_bilinear(Walk& xs, Walk& ys, const View& view, int32_t pitch, int32_t count, MappedBlock& block) {
    for (int32_t j = 0; j < count; j += kLanes, xs.next(), ys.next()) {
        const IntVector x = xs.words<1>(), y = ys.words<1>();
        const FloatVector fx = rest_lanes(xs.words<0>()), fy = rest_lanes(ys.words<0>());
        const FloatVector gx = 1.0f - fx, gy = 1.0f - fy;
        store(block.texel + j, texel_place(y, view.height) * pitch + texel_place(x, view.width));
        store_quads(gx * gy, fx * gy, gx * fy, fx * fy, block.weights + j * 4);
        store(block.covered + j,
              coverage<FloatVector>(inside_lanes(x, view.width), inside_lanes(x + 1, view.width),
                                    inside_lanes(y, view.height), inside_lanes(y + 1, view.height), fx, fy));
    }
}

/// meaning/color.h's `bilinear`, all channels of a pixel at once.
inline void sample_bilinear(const TexelImage& image, int32_t count, MappedBlock& block) {
    for (int32_t j = 0; j < count; ++j) {
        const float* const upper = image.texels + int64_t(block.texel[j]) * 4;
        const float* const w = block.weights + j * 4;
#if defined(__AVX2__)
        const __m256 weights = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(w));
        const __m256i first = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1),
                      second = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
        const __m256 above = _mm256_loadu_ps(upper) * _mm256_permutevar_ps(weights, first);
        const __m256 below = _mm256_loadu_ps(upper + image.pitch * 4) * _mm256_permutevar_ps(weights, second);
        const __m128 sum = _mm256_castps256_ps128(above) + _mm256_extractf128_ps(above, 1);
        store(block.samples + j * 4, (sum + _mm256_castps256_ps128(below)) + _mm256_extractf128_ps(below, 1));
#else
        const float* const lower = upper + image.pitch * 4;
        store(block.samples + j * 4,
              ((load<Texel>(upper) * w[0] + load<Texel>(upper + 4) * w[1]) + load<Texel>(lower) * w[2]) +
                  load<Texel>(lower + 4) * w[3]);
#endif
    }
}

inline void sample_nearest(const TexelImage& image, int32_t count, MappedBlock& block) {
    for (int32_t j = 0; j < count; ++j)
        store(block.samples + j * 4, load<Texel>(image.texels + int64_t(block.texel[j]) * 4));
}

/// Three channels through the map, from texels to planes.
template <bool bilinear_mode>
__attribute__((noinline)) void map_channels(View& view, const AffineMap& map, float fill, int32_t first_channel) {
    const TexelImage image = to_texels(view, first_channel, bilinear_mode ? 0.0f : fill);
    const int32_t width = view.width;
    const int64_t half = bilinear_mode ? 0 : int64_t(1) << 31;  // fixed_nearest
    const int32_t channels = view.plan->channels - first_channel;
    const Walk columns_x(map.x_per_column), columns_y(map.y_per_column);
    MappedBlock block;
    for (int32_t i = 0; i < view.height; ++i) {
        Walk xs = columns_x.from(map.x0 + half + i * map.x_per_row);
        Walk ys = columns_y.from(map.y0 + half + i * map.y_per_row);
        for (int32_t start = 0; start < width; start += kMapBlock) {
            const int32_t rest = (width - start + kLanes - 1) / kLanes * kLanes;  // whole vectors: all lanes are mapped
            const int32_t count = rest < kMapBlock ? rest : kMapBlock;
            if (bilinear_mode) {
                map_bilinear(xs, ys, view, image.pitch, count, block);
                sample_bilinear(image, count, block);
            } else {
                map_nearest(xs, ys, view, image.pitch, count, block);
                sample_nearest(image, count, block);
            }
            for (int32_t j = 0; j < count; j += kLanes) {
                FloatVector samples[kTexelChannels]{};
                load_quads(block.samples + j * 4, samples);
                for (int32_t c = 0; c < kTexelChannels; ++c) {
                    if (c >= channels) break;
                    if (bilinear_mode)
                        samples[c] = blend_fill<FloatVector>(samples[c], load_float(block.covered + j), fill);
                    store(view.plane(first_channel + c) + int64_t(i) * width + start + j, samples[c]);
                }
            }
        }
    }
}

inline void apply_affine(View& view, const AffineMap& map, const AffineSampling& sampling) {
    if (is_identity(map)) return;
    to_planes(view);
    for (int32_t c = 0; c < view.plan->channels; c += kTexelChannels) {
        if (sampling.bilinear)
            map_channels<true>(view, map, sampling.fill, c);
        else
            map_channels<false>(view, map, sampling.fill, c);
    }
}

}  // namespace
}  // namespace rote
