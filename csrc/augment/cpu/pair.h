// augment/cpu/pair.h: two vectors in step, so that the second works while the first waits for its results; the formulas
// of meaning/color.h take them as one number. Included by executor_* only.
#pragma once

#include "augment/cpu/vector.h"

namespace rote {
namespace {

struct FloatPair {
    FloatVector a, b;
};
struct MaskPair {
    IntVector a, b;
};

constexpr int kPair = 2 * kLanes;

ROTE_INLINE FloatPair operator+(FloatPair x, FloatPair y) {
    return {x.a + y.a, x.b + y.b};
}
ROTE_INLINE FloatPair operator-(FloatPair x, FloatPair y) {
    return {x.a - y.a, x.b - y.b};
}
ROTE_INLINE FloatPair operator*(FloatPair x, FloatPair y) {
    return {x.a * y.a, x.b * y.b};
}
ROTE_INLINE FloatPair operator/(FloatPair x, FloatPair y) {
    return {x.a / y.a, x.b / y.b};
}
ROTE_INLINE FloatPair operator+(FloatPair x, float y) {
    return {x.a + y, x.b + y};
}
ROTE_INLINE FloatPair operator-(FloatPair x, float y) {
    return {x.a - y, x.b - y};
}
ROTE_INLINE FloatPair operator-(float x, FloatPair y) {
    return {x - y.a, x - y.b};
}
ROTE_INLINE FloatPair operator*(FloatPair x, float y) {
    return {x.a * y, x.b * y};
}
ROTE_INLINE FloatPair operator/(FloatPair x, float y) {
    return {x.a / y, x.b / y};
}
ROTE_INLINE MaskPair operator==(FloatPair x, FloatPair y) {
    return {x.a == y.a, x.b == y.b};
}
ROTE_INLINE MaskPair operator<(FloatPair x, FloatPair y) {
    return {x.a < y.a, x.b < y.b};
}
ROTE_INLINE MaskPair operator>=(FloatPair x, FloatPair y) {
    return {x.a >= y.a, x.b >= y.b};
}

ROTE_INLINE FloatPair choose(MaskPair mask, FloatPair x, FloatPair y) {
    return {mask.a ? x.a : y.a, mask.b ? x.b : y.b};
}
ROTE_INLINE FloatPair fused(FloatPair x, float y, FloatPair z) {
    return {fused(x.a, splat<FloatVector>(y), z.a), fused(x.b, splat<FloatVector>(y), z.b)};
}
ROTE_INLINE FloatPair load_pair(const float* from) {
    return {load_float(from), load_float(from + kLanes)};
}
ROTE_INLINE void store_pair(float* to, FloatPair x) {
    store(to, x.a);
    store(to + kLanes, x.b);
}

}  // namespace

inline namespace ROTE_LEVEL {

template <>
ROTE_INLINE FloatPair magnitude<FloatPair>(FloatPair x) {
    return {magnitude<FloatVector>(x.a), magnitude<FloatVector>(x.b)};
}
template <>
ROTE_INLINE FloatPair greatest<FloatPair>(FloatPair x, FloatPair y) {
    return {greatest<FloatVector>(x.a, y.a), greatest<FloatVector>(x.b, y.b)};
}
template <>
ROTE_INLINE FloatPair least<FloatPair>(FloatPair x, FloatPair y) {
    return {least<FloatVector>(x.a, y.a), least<FloatVector>(x.b, y.b)};
}
template <>
ROTE_INLINE FloatPair sum_apart<FloatPair>(FloatPair x, FloatPair y) {
    return {sum_apart<FloatVector>(x.a, y.a), sum_apart<FloatVector>(x.b, y.b)};
}
template <>
ROTE_INLINE FloatPair difference_apart<FloatPair>(FloatPair x, FloatPair y) {
    return {difference_apart<FloatVector>(x.a, y.a), difference_apart<FloatVector>(x.b, y.b)};
}

}  // namespace ROTE_LEVEL
}  // namespace rote
