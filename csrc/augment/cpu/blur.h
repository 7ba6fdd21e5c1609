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

/// Along x, the common kernel of three: the neighbours come from the row itself, except at its ends.
inline void blur_row_of_three(const float* row, int32_t width, const float* weights, float* to) {
    const IntVector lanes = lane_numbers();
    const FloatVector second = splat<FloatVector>(row[1]), last_but_one = splat<FloatVector>(row[width - 2]);
    for (int32_t x = 0; x < width; x += kLanes) {
        const FloatVector middle = load_float(row + x);
        const FloatVector before =
            x == 0 ? (lanes == 0 ? second : __builtin_shuffle(middle, lanes - 1)) : load_float(row + x - 1);
        const FloatVector after = lanes == width - 1 - x ? last_but_one : load_float(row + x + 1);
        store(to + x, blur_pair<FloatVector>(blur_middle<FloatVector>(middle, weights[0]), before, after, weights[1]));
    }
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
    else if (radius == 1)
        blur_row_of_three(row, width, weights, to);
    else
        blur_row_of_many(row, width, radius, weights, line, to);
}

/// Row y along y, from the rows blurred along x.
inline void blur_along_y(const float* rows, int32_t y, int32_t height, int32_t width, int32_t radius,
                         const float* weights, float* to) {
    const auto row_at = [=](int32_t position) { return rows + int64_t(reflected(position, height)) * width; };
    if (radius == 1) {
        const float *const above = row_at(y - 1), *const below = row_at(y + 1);
        return blur_row(
            row_at(y), width, [=](int32_t x) { return [=](int32_t) { return PixelPair{above + x, below + x}; }; }, 1,
            weights, to);
    }
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
