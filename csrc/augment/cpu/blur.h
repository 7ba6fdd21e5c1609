// augment/cpu/blur.h: blur and sharpness on vectors. Included by executor_* only.
#pragma once

#include "augment/cpu/view.h"
#include "augment/meaning/blur.h"

namespace rote {
namespace {

inline IntVector lane_numbers() {
    IntVector lanes;
    for (int i = 0; i < kLanes; ++i) lanes[i] = i;
    return lanes;
}

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

/// kVectors vectors of a row under the common kernel of three, along x. kLast: the row ends in the last of them.
template <int kVectors, bool kFirst, bool kLast>
struct ThreeAlongX {
    float beside, near;  // the weights of the neighbours and of the pixel itself
    int32_t last;        // the lane of the row's last pixel

    void operator()(const float* from, FloatVector* to) const {
        const IntVector lanes = lane_numbers();
        for (int v = 0; v < kVectors; ++v, from += kLanes) {
            const FloatVector middle = load_float(from);
            FloatVector before, after = load_float(from + 1);
            if (kFirst && v == 0)
                before = __builtin_shuffle(middle, lanes == 0 ? lanes + 1 : lanes - 1);
            else
                before = load_float(from - 1);
            if (kLast && v == kVectors - 1) after = lanes == last ? splat<FloatVector>(from[last - 1]) : after;
            to[v] = blur_pair<FloatVector>(blur_middle<FloatVector>(middle, near), before, after, beside);
        }
    }
};

/// A strip of columns, `count` pixels wide, under a kernel of three by three: down the rows, of which the last three
/// stay in registers.
template <int kVectors, bool kFirst, bool kLast>
inline void blur_strip(const float* from, int32_t height, int32_t width, int32_t count, const float* weights,
                       float* to) {
    const float near = weights[0], beside = weights[1];
    const ThreeAlongX<kVectors, kFirst, kLast> along_x{beside, near, (count - 1) % kLanes};
    FloatVector above[kVectors], middle[kVectors], below[kVectors];
    along_x(from, middle);
    along_x(from + width, below);
    for (int v = 0; v < kVectors; ++v) above[v] = below[v];
    for (int32_t y = 0; y < height; ++y, to += width) {
        for (int v = 0; v < kVectors; ++v) {
            store(to + v * kLanes,
                  blur_pair<FloatVector>(blur_middle<FloatVector>(middle[v], near), above[v], below[v], beside));
            above[v] = middle[v];
            middle[v] = below[v];
        }
        const int32_t next = y + 2 < height ? y + 2 : height - 2;
        along_x(from + int64_t(next) * width, below);
    }
}

/// Planes under a kernel of three by three.
inline void blur_by_three(View& view, const float* weights) {
    constexpr int32_t kStrip = 2 * kLanes;
    const int32_t height = view.height, width = view.width;
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t x = (width - 1) / kStrip * kStrip; x >= 0; x -= kStrip) {  // the last strip overruns its rows
            const int32_t rest = width - x;
            const float* const from = view.plane(c) + x;
            float* const to = view.spare_plane(c) + x;
            const auto blur = rest <= kLanes   ? (x == 0 ? blur_strip<1, true, true> : blur_strip<1, false, true>)
                              : rest <= kStrip ? (x == 0 ? blur_strip<2, true, true> : blur_strip<2, false, true>)
                              : x == 0         ? blur_strip<2, true, false>
                                               : blur_strip<2, false, false>;
            blur(from, height, width, rest, weights, to);
        }
    view.swap_planes();
}

/// Along x, any kernel. `line` holds the row with its reflections.
inline void blur_row_of_many(const float* row, int32_t width, int32_t radius, const float* weights, float* line,
                             float* to) {
    for (int32_t i = 1; i <= radius; ++i) {
        line[radius - i] = row[i];
        line[radius + width - 1 + i] = row[width - 1 - i];
    }
    memcpy(line + radius, row, size_t(width) * sizeof(float));
    const float* const middle = line + radius;
    blur_row(
        middle, width, [=](int32_t x) { return [=](int32_t i) { return PixelPair{middle + x - i, middle + x + i}; }; },
        radius, weights, to);
}

inline void blur_along_x(const float* row, int32_t width, int32_t radius, const float* weights, float* line,
                         float* to) {
    if (radius == 0)
        memcpy(to, row, size_t(width) * sizeof(float));
    else
        blur_row_of_many(row, width, radius, weights, line, to);
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
    if (radius_x == 1 && radius_y == 1) return blur_by_three(view, weights_x);
    if (radius_y != radius_x) {
        weights_y = weights_x + view.layout->index_pitch;
        gaussian_weights(radius_y, sigma, weights_y);
    }
    float* const line = view.part<float>(view.layout->gather_index);
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        float* const narrow = view.spare_plane(c);
        int32_t ready = 0;  // rows blurred along x; what they were made of may be written over, by a vector's tail too
        const int32_t ahead = radius_y + kLanes / width;
        for (int32_t y = 0; y < height; ++y) {
            for (; ready < height && ready <= y + ahead; ++ready)
                blur_along_x(plane + int64_t(ready) * width, width, radius_x, weights_x, line,
                             narrow + int64_t(ready) * width);
            if (radius_y > 0) blur_along_y(narrow, y, height, width, radius_y, weights_y, plane + int64_t(y) * width);
        }
    }
    if (radius_y == 0) view.swap_planes();
}

/// Clamps `count` pixels; may write up to a vector more.
inline void clamp_run(const float* from, int32_t count, float* to) {
    for (int32_t p = 0; p < count; p += kLanes) store(to + p, clamp_unit<FloatVector>(load_float(from + p)));
}

__attribute__((noinline)) void sharpen_planes(View& view, float factor) {
    to_planes(view);
    const int32_t height = view.height, width = view.width;
    if (!can_sharpen(height, width)) return;
    const auto three_at = [](const float* row) {
        return three<FloatVector>(load_float(row - 1), load_float(row), load_float(row + 1));
    };
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        const float* const from = view.plane(c);
        float* const to = view.spare_plane(c);
        const int32_t last = (height - 1) * width;
        clamp_run(from, width, to);
        for (int32_t p = width + 1; p < last - 1; p += kLanes)  // the columns at the ends are wrong
            store(to + p, sharpen<FloatVector>(load_float(from + p), three_at(from + p - width), three_at(from + p),
                                               three_at(from + p + width), factor));
        clamp_run(from + last, width, to + last);
        for (int32_t p = width; p < last; p += width) {  // and are made right
            to[p] = clamp_unit<float>(from[p]);
            to[p + width - 1] = clamp_unit<float>(from[p + width - 1]);
        }
    }
    view.swap_planes();
}

inline void sharpness(View& view, const AugmentStep& step) {
    sharpen_planes(view, word_float(view.row[step.row_offset + 1]));
}

}  // namespace
}  // namespace rote
