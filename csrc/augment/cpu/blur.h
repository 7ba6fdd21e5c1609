// augment/cpu/blur.h: blur and sharpness on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/tone.h"
#include "augment/cpu/view.h"
#include "augment/meaning/blur.h"

namespace rote {
namespace {

/// kVectors vectors of blurred pixels at once. pair_at(i) gives the pixels i before and i after those of `middle`.
template <int kVectors, class PairAt>
inline void blur_vectors(const float* middle, PairAt&& pair_at, int32_t radius, const float* weights, float* to) {
    FloatVector sums[kVectors];
    for (int v = 0; v < kVectors; ++v) sums[v] = blur_middle<FloatVector>(load_float(middle + v * kLanes), weights[0]);
    for (int32_t i = 1; i <= radius; ++i) {
        const auto pair = pair_at(i);
        for (int v = 0; v < kVectors; ++v)
            sums[v] = blur_pair<FloatVector>(sums[v], load_float(pair.before + v * kLanes),
                                             load_float(pair.after + v * kLanes), weights[i]);
    }
    for (int v = 0; v < kVectors; ++v) store(to + v * kLanes, sums[v]);
}

struct PixelPair {
    const float *before, *after;
};

/// A row of `width` pixels; pairs_of(x) is the pair_at of the pixels from x on.
template <class PairsOf>
inline void blur_row(const float* row, int32_t width, PairsOf&& pairs_of, int32_t radius, const float* weights,
                     float* to) {
    int32_t x = 0;
    for (; x + 3 * kLanes < width; x += 4 * kLanes) blur_vectors<4>(row + x, pairs_of(x), radius, weights, to + x);
    for (; x + kLanes < width; x += 2 * kLanes) blur_vectors<2>(row + x, pairs_of(x), radius, weights, to + x);
    if (x < width) blur_vectors<1>(row + x, pairs_of(x), radius, weights, to + x);
}

/// The pixels before those of `middle` = load(from). The first of a row reflects the one after it.
template <bool kFirst>
inline FloatVector pixels_before(const float* from, FloatVector middle) {
    if constexpr (kFirst) {
        const IntVector lanes = lane_numbers();
        return __builtin_shuffle(middle, lanes == 0 ? lanes + 1 : lanes - 1);
    } else {
        return load_float(from - 1);
    }
}

/// A kernel of three by three, for strips of columns: down the rows, of which the last three stay in registers.
/// kFirst, kLast: the strip begins or ends the rows, which have `rest` pixels from here on.
struct BlurStrip {
    float near, beside;  // the weights of the pixel itself and of its neighbours

    template <int kVectors, bool kFirst, bool kLast>
    void along_x(const float* from, int32_t rest, FloatVector* to) const {
        for (int v = 0; v < kVectors; ++v, from += kLanes, rest -= kLanes) {
            const FloatVector middle = load_float(from);
            const FloatVector before = v == 0 ? pixels_before<kFirst>(from, middle) : load_float(from - 1);
            FloatVector after = load_float(from + 1);
            if (kLast && v == kVectors - 1)
                after = lane_numbers() == rest - 1 ? splat<FloatVector>(from[rest - 2]) : after;
            to[v] = blur_pair<FloatVector>(blur_middle<FloatVector>(middle, near), before, after, beside);
        }
    }

    template <int kVectors, bool kFirst, bool kLast>
    void run(const float* from, int32_t height, int32_t width, int32_t rest, float* to) const {
        FloatVector above[kVectors], middle[kVectors], below[kVectors];
        along_x<kVectors, kFirst, kLast>(from, rest, middle);
        along_x<kVectors, kFirst, kLast>(from + width, rest, below);
        for (int v = 0; v < kVectors; ++v) above[v] = below[v];
        for (int32_t y = 0; y < height; ++y, to += width) {
            for (int v = 0; v < kVectors; ++v) {
                store(to + v * kLanes,
                      blur_pair<FloatVector>(blur_middle<FloatVector>(middle[v], near), above[v], below[v], beside));
                above[v] = middle[v];
                middle[v] = below[v];
            }
            const int32_t next = y + 2 < height ? y + 2 : height - 2;
            along_x<kVectors, kFirst, kLast>(from + int64_t(next) * width, rest, below);
        }
    }
};

struct SharpenStrip {
    float factor;

    template <int kVectors, bool kFirst>
    void along_x(const float* from, FloatVector* to) const {
        for (int v = 0; v < kVectors; ++v, from += kLanes) {
            const FloatVector middle = load_float(from);
            const FloatVector before = v == 0 ? pixels_before<kFirst>(from, middle) : load_float(from - 1);
            to[v] = three<FloatVector>(before, middle, load_float(from + 1));
        }
    }

    template <int kVectors, bool kFirst, bool kLast>
    void run(const float* from, int32_t height, int32_t width, int32_t rest, float* to) const {
        const auto border_row = [&] {
            for (int v = 0; v < kVectors; ++v)
                store(to + v * kLanes, clamp_unit<FloatVector>(load_float(from + v * kLanes)));
            from += width;
            to += width;
        };
        const IntVector lanes = lane_numbers();
        FloatVector above[kVectors], beside[kVectors], below[kVectors];
        along_x<kVectors, kFirst>(from, above);
        along_x<kVectors, kFirst>(from + width, beside);
        border_row();
        for (int32_t y = 1; y < height - 1; ++y, from += width, to += width) {
            along_x<kVectors, kFirst>(from + width, below);
            for (int v = 0; v < kVectors; ++v) {
                const FloatVector x = load_float(from + v * kLanes);
                FloatVector sharp = sharpen<FloatVector>(x, above[v], beside[v], below[v], factor);
                if (kFirst && v == 0) sharp = lanes == 0 ? clamp_unit<FloatVector>(x) : sharp;
                if (kLast && v == kVectors - 1)
                    sharp = lanes == rest - 1 - v * kLanes ? clamp_unit<FloatVector>(x) : sharp;
                store(to + v * kLanes, sharp);
                above[v] = beside[v];
                beside[v] = below[v];
            }
        }
        border_row();
    }
};

/// All planes by strips of two vectors, from the last one, whose tail overruns its rows, to the first.
template <class Strip>
inline void by_strips(View& view, const Strip& strip) {
    constexpr int32_t kStrip = 2 * kLanes;
    const int32_t height = view.height, width = view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t x = (width - 1) / kStrip * kStrip; x >= 0; x -= kStrip) {
            const int32_t rest = width - x;
            const float* const from = view.plane(c) + x;
            float* const to = view.spare_plane(c) + x;
            if (x == 0 && rest <= kLanes)
                strip.template run<1, true, true>(from, height, width, rest, to);
            else if (x == 0 && rest <= kStrip)
                strip.template run<2, true, true>(from, height, width, rest, to);
            else if (x == 0)
                strip.template run<2, true, false>(from, height, width, rest, to);
            else if (rest <= kLanes)
                strip.template run<1, false, true>(from, height, width, rest, to);
            else if (rest <= kStrip)
                strip.template run<2, false, true>(from, height, width, rest, to);
            else
                strip.template run<2, false, false>(from, height, width, rest, to);
        }
    view.swap_planes();
}

/// Where the row itself begins in a line, on a vector's boundary.
inline int32_t line_start(int32_t radius) {
    return (radius + kLanes - 1) / kLanes * kLanes;
}

/// `count` rows along x, any kernel. `lines` holds them with their reflections: all are written
/// before the first is read, for reading at once what was stored in other pieces is slow.
inline void blur_along_x(const float* rows, int32_t count, int32_t width, int32_t radius, const float* weights,
                         float* lines, int32_t line_pitch, float* to) {
    if (radius == 0) {
        memcpy(to, rows, size_t(count) * size_t(width) * sizeof(float));
        return;
    }
    for (int32_t n = 0; n < count; ++n) {
        const float* const row = rows + int64_t(n) * width;
        float* const middle = lines + int64_t(n) * line_pitch + line_start(radius);
        for (int32_t x = 0; x < width; x += kLanes) store(middle + x, load_float(row + x));
        for (int32_t i = 1; i <= radius; ++i) {
            middle[-i] = row[i];
            middle[width - 1 + i] = row[width - 1 - i];
        }
    }
    for (int32_t n = 0; n < count; ++n) {
        const float* const middle = lines + int64_t(n) * line_pitch + line_start(radius);
        blur_row(
            middle, width,
            [=](int32_t x) { return [=](int32_t i) { return PixelPair{middle + x - i, middle + x + i}; }; }, radius,
            weights, to + int64_t(n) * width);
    }
}

/// Row y along y, from the rows blurred along x.
inline void blur_along_y(const float* rows, int32_t y, int32_t height, int32_t width, int32_t radius,
                         const float* weights, float* to) {
    const auto row_at = [=](int32_t position) { return rows + int64_t(reflected(position, height)) * width; };
    blur_row(
        row_at(y), width,
        [=](int32_t x) { return [=](int32_t i) { return PixelPair{row_at(y - i) + x, row_at(y + i) + x}; }; }, radius,
        weights, to);
}

__attribute__((noinline)) void gaussian_blur(View& view, const AugmentStep& step) {
    to_planes(view);
    const int32_t height = view.height, width = view.width;
    const int32_t radius_x = blur_radius(step.constants[0]), radius_y = blur_radius(step.constants[1]);
    const float sigma = word_float(view.row[step.row_offset + 1]);
    float* const weights_x = view.part<float>(view.layout->coordinates);
    float* weights_y = weights_x;
    gaussian_weights(radius_x, sigma, weights_x);
    if (radius_x == 1 && radius_y == 1) return by_strips(view, BlurStrip{weights_x[0], weights_x[1]});
    if (radius_y != radius_x) {
        weights_y = weights_x + view.layout->index_pitch;
        gaussian_weights(radius_y, sigma, weights_y);
    }
    float* const lines = view.part<float>(view.layout->gather_index);
    const int32_t line_pitch = (line_start(radius_x) + width + radius_x + 2 * kLanes) / kLanes * kLanes;
    const int32_t lines_at_once = clamp_int(int32_t(kMaxGatherTaps * view.layout->index_pitch / line_pitch), 1, 4);
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        float* const narrow = view.spare_plane(c);
        int32_t ready = 0;  // rows blurred along x; what they were made of may be written over, by a vector's tail too
        const int32_t ahead = radius_y + kLanes / width;
        for (int32_t y = 0; y < height; ++y) {
            while (ready < height && ready <= y + ahead) {
                const int32_t count = height - ready < lines_at_once ? height - ready : lines_at_once;
                blur_along_x(plane + int64_t(ready) * width, count, width, radius_x, weights_x, lines, line_pitch,
                             narrow + int64_t(ready) * width);
                ready += count;
            }
            if (radius_y > 0) blur_along_y(narrow, y, height, width, radius_y, weights_y, plane + int64_t(y) * width);
        }
    }
    if (radius_y == 0) view.swap_planes();
}

__attribute__((noinline)) void sharpen_planes(View& view, float factor) {
    to_planes(view);
    if (can_sharpen(view.height, view.width)) by_strips(view, SharpenStrip{factor});
}

inline void sharpness(View& view, const AugmentStep& step) {
    sharpen_planes(view, word_float(view.row[step.row_offset + 1]));
}

}  // namespace
}  // namespace rote
