// augment/cpu/pixels.h: several vectors in step, so that one works while another waits for its results: a chain of
// colour formulas is long, and a core sees only some 60 operations ahead. The formulas of meaning/color.h take them as
// one number. Included by executor_* only.
#pragma once

#include <type_traits>

#include "augment/cpu/vector.h"

namespace rote {
namespace {

/// Named one by one, because gcc keeps arrays of vectors in memory.
template <class T>
struct Two {
    T a, b;
};

using FloatPair = Two<FloatVector>;
constexpr int kPair = 2 * kLanes;

/// The pixels of one channel that travel together: one pair, or two where there are registers for that.
#if defined(__AVX512F__)
constexpr int kHalves = 2;
using Pixels = Two<FloatPair>;
#else
constexpr int kHalves = 1;
using Pixels = FloatPair;
#endif
constexpr int kBlock = kHalves * kPair;

template <class T, class Fn>
ROTE_INLINE auto both(Fn&& fn, const Two<T>& x) {
    return Two<decltype(fn(x.a))>{fn(x.a), fn(x.b)};
}
template <class T, class Fn>
ROTE_INLINE auto both(Fn&& fn, const Two<T>& x, const Two<T>& y) {
    return Two<decltype(fn(x.a, y.a))>{fn(x.a, y.a), fn(x.b, y.b)};
}

template <class T>
ROTE_INLINE Two<T> operator+(const Two<T>& x, const Two<T>& y) {
    return {x.a + y.a, x.b + y.b};
}
template <class T>
ROTE_INLINE Two<T> operator-(const Two<T>& x, const Two<T>& y) {
    return {x.a - y.a, x.b - y.b};
}
template <class T>
ROTE_INLINE Two<T> operator*(const Two<T>& x, const Two<T>& y) {
    return {x.a * y.a, x.b * y.b};
}
template <class T>
ROTE_INLINE Two<T> operator/(const Two<T>& x, const Two<T>& y) {
    return {x.a / y.a, x.b / y.b};
}
template <class T>
ROTE_INLINE Two<T> operator+(const Two<T>& x, float y) {
    return {x.a + y, x.b + y};
}
template <class T>
ROTE_INLINE Two<T> operator-(const Two<T>& x, float y) {
    return {x.a - y, x.b - y};
}
template <class T>
ROTE_INLINE Two<T> operator-(float x, const Two<T>& y) {
    return {x - y.a, x - y.b};
}
template <class T>
ROTE_INLINE Two<T> operator*(const Two<T>& x, float y) {
    return {x.a * y, x.b * y};
}
template <class T>
ROTE_INLINE Two<T> operator/(const Two<T>& x, float y) {
    return {x.a / y, x.b / y};
}
template <class T>
ROTE_INLINE auto operator==(const Two<T>& x, const Two<T>& y) {
    return both([](auto p, auto q) { return p == q; }, x, y);
}
template <class T>
ROTE_INLINE auto operator<(const Two<T>& x, const Two<T>& y) {
    return both([](auto p, auto q) { return p < q; }, x, y);
}
template <class T>
ROTE_INLINE auto operator>=(const Two<T>& x, const Two<T>& y) {
    return both([](auto p, auto q) { return p >= q; }, x, y);
}
ROTE_INLINE FloatVector choose(IntVector mask, FloatVector x, FloatVector y) {
    return mask ? x : y;
}
template <class M, class T>
ROTE_INLINE Two<T> choose(const Two<M>& mask, const Two<T>& x, const Two<T>& y) {
    return {choose(mask.a, x.a, y.a), choose(mask.b, x.b, y.b)};
}

template <class T>
ROTE_INLINE Two<T> fused(const Two<T>& x, float y, const Two<T>& z) {
    return {fused(x.a, y, z.a), fused(x.b, y, z.b)};
}

ROTE_INLINE FloatPair load_pair(const float* from) {
    return {load_float(from), load_float(from + kLanes)};
}
ROTE_INLINE void store_pair(float* to, const FloatPair& x) {
    store(to, x.a);
    store(to + kLanes, x.b);
}

ROTE_INLINE const FloatPair& half_of(const FloatPair& pixels, int) {
    return pixels;
}
ROTE_INLINE const FloatPair& half_of(const Two<FloatPair>& pixels, int half) {
    return half == 0 ? pixels.a : pixels.b;
}

/// fn(pair, which of the halves).
template <class P, class Fn>
ROTE_INLINE void on_halves(P& pixels, Fn&& fn) {
    if constexpr (kHalves == 1) {
        fn(pixels, 0);
    } else {
        fn(pixels.a, 0);
        fn(pixels.b, 1);
    }
}

}  // namespace

inline namespace ROTE_LEVEL {

// What the formulas call with their type in brackets.
#define ROTE_IN_STEP(T)                                                                                               \
    template <>                                                                                                       \
    ROTE_INLINE Two<T> splat<Two<T>>(float value) {                                                                   \
        return {splat<T>(value), splat<T>(value)};                                                                    \
    }                                                                                                                 \
    template <>                                                                                                       \
    ROTE_INLINE Two<T> magnitude<Two<T>>(Two<T> x) {                                                                  \
        return {magnitude<T>(x.a), magnitude<T>(x.b)};                                                                \
    }                                                                                                                 \
    template <>                                                                                                       \
    ROTE_INLINE Two<T> greatest<Two<T>>(Two<T> x, Two<T> y) {                                                         \
        return {greatest<T>(x.a, y.a), greatest<T>(x.b, y.b)};                                                        \
    }                                                                                                                 \
    template <>                                                                                                       \
    ROTE_INLINE Two<T> least<Two<T>>(Two<T> x, Two<T> y) {                                                            \
        return {least<T>(x.a, y.a), least<T>(x.b, y.b)};                                                              \
    }                                                                                                                 \
    template <>                                                                                                       \
    ROTE_INLINE Two<T> sum_apart<Two<T>>(Two<T> x, Two<T> y) {                                                        \
        return {sum_apart<T>(x.a, y.a), sum_apart<T>(x.b, y.b)};                                                      \
    }                                                                                                                 \
    template <>                                                                                                       \
    ROTE_INLINE Two<T> difference_apart<Two<T>>(Two<T> x, Two<T> y) {                                                 \
        return {difference_apart<T>(x.a, y.a), difference_apart<T>(x.b, y.b)};                                        \
    }
ROTE_IN_STEP(FloatVector)
ROTE_IN_STEP(FloatPair)
#undef ROTE_IN_STEP

}  // namespace ROTE_LEVEL
}  // namespace rote
