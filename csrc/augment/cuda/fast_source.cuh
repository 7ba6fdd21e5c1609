// augment/cuda/fast_source.cuh: the image a pass reads, and the samplers that move its pixels.
#pragma once

#include "augment/cuda/fast_ops.cuh"
#include "augment/meaning/affine.h"
#include "augment/meaning/blur.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"

namespace rote {
namespace {

/// x / 255 correctly rounded: the bits of unit_from_byte, whose first product is exact; without the conversion unit.
__device__ __forceinline__ float unit_of(uint32_t byte) {
    const float x = float_from_bits(0x4b000000u | byte) - 8388608.0f;
    return fmaf(x, kByteUnitHigh, x * kByteUnitLow);
}

/// Bytes of the bank, or planes of floats.
struct Source {
    const uint8_t* bytes;  // null: planes
    int32_t stride_c, stride_h, stride_w;
    const float* planes;
    int32_t pitch;
    int32_t height, width;
    bool mirror_x, mirror_y;  // flips before the sampler

    template <int C>
    __device__ __forceinline__ void load(int32_t y, int32_t x, float (&pixel)[C]) const {
        y = mirror_y ? height - 1 - y : y;
        x = mirror_x ? width - 1 - x : x;
        if (bytes) {
            const uint8_t* const at = bytes + y * stride_h + x * stride_w;
            for (int c = 0; c < C; ++c) pixel[c] = unit_of(at[c * stride_c]);
        } else {
            const float* const at = planes + y * width + x;
            for (int c = 0; c < C; ++c) pixel[c] = at[c * pitch];
        }
    }
    template <int C>
    __device__ __forceinline__ void load_or(int32_t y, int32_t x, float fill, float (&pixel)[C]) const {
        if (y >= 0 && y < height && x >= 0 && x < width) return load<C>(y, x, pixel);
        for (int c = 0; c < C; ++c) pixel[c] = fill;
    }
};

enum class Sampler : int32_t { window, resize, affine, blur_x, blur_y };

/// A pixel of a window of the source, padding included. source_x: of its column, -1 in the fill.
template <int C>
__device__ __forceinline__ void sample_window(const Source& source, const CropWindow& window, const Padding& padding,
                                              int32_t y, int32_t source_x, float (&pixel)[C]) {
    const int32_t source_y = padded_index(window.top + y, source.height, padding.mode);
    if (source_x >= 0 && source_y >= 0) return source.load<C>(source_y, source_x, pixel);
    for (int c = 0; c < C; ++c) pixel[c] = padding.fill;
}

/// One axis of a resize in a team's memory: for every output pixel the first source pixel and K weights, padded to
/// whole 16 bytes.
template <int K>
struct TapEntry {
    static constexpr int kWords = K == 2 ? 4 : 12;

    int32_t first;
    float weights[K];

    __device__ __forceinline__ explicit TapEntry(const float* table, int32_t d) {
        const float* const at = table + d * kWords;
        first = float_word(at[0]);
        for (int t = 0; t < K; ++t) weights[t] = at[1 + t];
    }
    __device__ static void write(float* table, const ResizeFilter& filter, int32_t extent, int32_t out, int32_t d) {
        float* const at = table + d * kWords;
        for (int t = 0; t < K; ++t) at[1 + t] = 0.0f;
        at[0] = word_float(resize_taps(filter, extent, out, d, tap_count(filter, extent, out), at + 1, 1));
    }
};

/// A column of a resize, from top to bottom: the last K rows of the narrowed image stay in registers, so that each is
/// computed once.
template <int C, int K>
struct ResizeColumn {
    int32_t taps_x, taps_y;
    int32_t first;       // source row of narrow[.][0]
    int32_t columns[K];  // source columns
    float weights[K];
    float narrow[C][K];

    __device__ __forceinline__ void start(const CropWindow& window, const float* table_x, int32_t x,
                                          const float* table_y, int32_t y) {
        const TapEntry<K> entry(table_x, x);
        for (int t = 0; t < K; ++t) {
            const int32_t from = entry.first + t < window.width ? entry.first + t : window.width - 1;
            columns[t] = window.left + from;
            weights[t] = entry.weights[t];
        }
        first = TapEntry<K>(table_y, y).first - K;  // no row is there yet
        for (int c = 0; c < C; ++c)
            for (int k = 0; k < K; ++k) narrow[c][k] = 0.0f;
    }
    /// The next row of the narrowed image comes in at the bottom.
    __device__ __forceinline__ void advance(const Source& source, const CropWindow& window) {
        for (int c = 0; c < C; ++c)
            for (int k = 0; k + 1 < K; ++k) narrow[c][k] = narrow[c][k + 1];
        const int32_t row = first + K, y = window.top + (row < window.height ? row : window.height - 1);
        float sum[C] = {};
#pragma unroll
        for (int t = 0; t < K; ++t) {
            if (t >= 2 && t >= taps_x) continue;
            float pixel[C];
            source.load<C>(y, columns[t], pixel);
            for (int c = 0; c < C; ++c) {
                const float part = pixel[c] * weights[t];
                sum[c] = t == 0 ? part : sum[c] + part;
            }
        }
        for (int c = 0; c < C; ++c) narrow[c][K - 1] = sum[c];
        ++first;
    }
    /// Rows must not decrease from call to call.
    __device__ __forceinline__ void sample(const Source& source, const CropWindow& window, const float* table_y,
                                           int32_t y, float (&pixel)[C]) {
        const TapEntry<K> entry(table_y, y);
#pragma unroll 1
        while (first < entry.first) advance(source, window);
#pragma unroll
        for (int k = 0; k < K; ++k) {
            if (k >= 2 && k >= taps_y) continue;
            for (int c = 0; c < C; ++c) {
                const float part = narrow[c][k] * entry.weights[k];
                pixel[c] = k == 0 ? part : pixel[c] + part;
            }
        }
    }
};

struct AffineSampler {
    const AffineMap* place;  // in the team's memory
    AffineSampling how;

    template <int C>
    __device__ __forceinline__ void sample(const Source& source, int32_t i, int32_t j, float (&pixel)[C]) const {
        const AffineMap map = *place;
        const int64_t fixed_x = map.x0 + j * map.x_per_column + i * map.x_per_row;
        const int64_t fixed_y = map.y0 + j * map.y_per_column + i * map.y_per_row;
        if (!how.bilinear) return source.load_or<C>(fixed_nearest(fixed_y), fixed_nearest(fixed_x), how.fill, pixel);
        const int32_t x = fixed_floor(fixed_x), y = fixed_floor(fixed_y);
        const float fx = fixed_rest(fixed_x), fy = fixed_rest(fixed_y);
        float p00[C], p01[C], p10[C], p11[C];
        source.load_or<C>(y, x, 0.0f, p00);
        source.load_or<C>(y, x + 1, 0.0f, p01);
        source.load_or<C>(y + 1, x, 0.0f, p10);
        source.load_or<C>(y + 1, x + 1, 0.0f, p11);
        const auto inside = [](int32_t position, int32_t extent) {
            return position >= 0 && position < extent ? 1.0f : 0.0f;
        };
        const float covered = coverage<float>(inside(x, source.width), inside(x + 1, source.width),
                                              inside(y, source.height), inside(y + 1, source.height), fx, fy);
        for (int c = 0; c < C; ++c)
            pixel[c] = blend_fill<float>(bilinear<float>(p00[c], p01[c], p10[c], p11[c], fx, fy), covered, how.fill);
    }
};

/// One axis of a blur of planes. The sum of a pair has no order, so flips that come before may as well come after.
struct BlurSampler {
    const float* weights;
    int32_t radius;

    template <int C>
    __device__ __forceinline__ void along_x(const Source& source, int32_t y, int32_t x, float (&pixel)[C]) const {
        const float* const line = source.planes + y * source.width;
        for (int c = 0; c < C; ++c) pixel[c] = blur_middle<float>(line[c * source.pitch + x], weights[0]);
        for (int32_t i = 1; i <= radius; ++i) {
            const int32_t before = reflected(x - i, source.width), after = reflected(x + i, source.width);
            for (int c = 0; c < C; ++c)
                pixel[c] = blur_pair<float>(pixel[c], line[c * source.pitch + before], line[c * source.pitch + after],
                                            weights[i]);
        }
    }
    template <int C>
    __device__ __forceinline__ void along_y(const Source& source, int32_t y, int32_t x, float (&pixel)[C]) const {
        const float* const column = source.planes + x;
        for (int c = 0; c < C; ++c)
            pixel[c] = blur_middle<float>(column[c * source.pitch + y * source.width], weights[0]);
        for (int32_t i = 1; i <= radius; ++i) {
            const int32_t before = reflected(y - i, source.height) * source.width;
            const int32_t after = reflected(y + i, source.height) * source.width;
            for (int c = 0; c < C; ++c)
                pixel[c] = blur_pair<float>(pixel[c], column[c * source.pitch + before],
                                            column[c * source.pitch + after], weights[i]);
        }
    }
};

/// The weights of both axes behind one another, as gaussian_weights makes them, a thread for each: exponentials are
/// dear. `memory` holds a double and a float for each weight; where the floats lie is returned.
template <class Team>
__device__ __forceinline__ float* write_blur_weights(float* memory, int32_t radius_x, int32_t radius_y, float sigma,
                                                     const Team& team) {
    const int32_t count = radius_x + radius_y + 2;
    double* const parts = reinterpret_cast<double*>(memory);
    float* const weights = memory + 2 * count;
    for (int32_t i = team.rank; i < count; i += team.size()) {
        const int32_t distance = i <= radius_x ? i : i - radius_x - 1;
        parts[i] = distance == 0 ? 1.0 : gaussian(distance, sigma);
    }
    team.sync();
    for (int32_t i = team.rank; i < count; i += team.size()) {
        const bool x = i <= radius_x;
        const double* const own = parts + (x ? 0 : radius_x + 1);
        double total = 1.0;
        for (int32_t d = 1; d <= (x ? radius_x : radius_y); ++d) total += 2.0 * own[d];
        weights[i] = float(parts[i] / total);
    }
    return weights;
}

}  // namespace
}  // namespace rote
