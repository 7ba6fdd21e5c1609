// knn/cpu/portable_vector.h: vectors of any lane count for any target, by GCC's vector extension.
#pragma once

#include <cstdint>
#include <cstring>

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors wider than the baseline's registers stay inside inlined code

#define ROTE_INLINE inline __attribute__((always_inline))
#define ROTE_INLINE_LAMBDA __attribute__((always_inline))

namespace rote {

/// GCC's vector extension takes no dependent sizes.
template <int Lanes>
struct VectorTypes;
template <>
struct VectorTypes<4> {
    typedef float F __attribute__((vector_size(16)));
    typedef double D __attribute__((vector_size(32)));
};
template <>
struct VectorTypes<8> {
    typedef float F __attribute__((vector_size(32)));
    typedef double D __attribute__((vector_size(64)));
};
template <>
struct VectorTypes<16> {
    typedef float F __attribute__((vector_size(64)));
};

/// int32 sums of products of int16 pairs, by GCC's extension.
template <int Lanes>
struct PortableIntegers {
    typedef int32_t Integers __attribute__((vector_size(4 * Lanes)));

    static ROTE_INLINE Integers load_pairs(const int16_t* p) {
        Integers v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static ROTE_INLINE Integers broadcast_pair(const int16_t* p) {
        int32_t pair;
        std::memcpy(&pair, p, sizeof pair);
        return Integers{} + pair;
    }
    // A pair lies in one word: its low half by a shift to and fro, its high half by a shift down.
    static ROTE_INLINE void add_products(Integers& sum, Integers a, Integers b) {
        sum += ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
    }
    static ROTE_INLINE typename VectorTypes<Lanes>::F to_floats(Integers v) {
        return __builtin_convertvector(v, typename VectorTypes<Lanes>::F);
    }
};

/// Vectors by GCC's extension: any lane count on any target. Multiply and add round separately.
template <int Lanes>
struct PortableVector {
    using F = typename VectorTypes<Lanes>::F;
    static constexpr int kLanes = Lanes;
    static constexpr bool kFused = false;

    static ROTE_INLINE F load(const float* p) {
        F v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static ROTE_INLINE void store(float* p, F v) { std::memcpy(p, &v, sizeof v); }
    static ROTE_INLINE F broadcast(float x) {  // not zero plus x, which is an addition
        F v;
        for (int i = 0; i < Lanes; ++i) v[i] = x;
        return v;
    }
    static ROTE_INLINE F smaller(F a, F b) { return a < b ? a : b; }
    static ROTE_INLINE F fma(F a, F b, F c) { return a * b + c; }
    using Mask = decltype(F{} < F{});
    static ROTE_INLINE Mask not_below(F a, F b) { return ~(a < b); }
    static ROTE_INLINE Mask either(Mask a, Mask b) { return a | b; }
    static ROTE_INLINE uint32_t bits(Mask mask) {
        uint32_t result = 0;
        for (int i = 0; i < Lanes; ++i) result |= uint32_t(mask[i] != 0) << i;
        return result;
    }
};

}  // namespace rote
