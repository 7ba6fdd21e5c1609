// tests/tensor_core_model.h: fp16 products added up as a tensor core may do at worst (docs/knn-cuda.md, "The sum"):
// groups of products and the running sum are aligned to the largest of them and cut off, then added and cut off again.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace rote {

/// Keeps the bits of `value` down to 2^-23 of 2^exponent; towards zero, or away from it to err on the other side.
inline double cut_off(double value, int exponent, bool away) {
    const double unit = std::ldexp(1.0, exponent - 23), scaled = value / unit;
    return (away ? (scaled < 0 ? std::floor(scaled) : std::ceil(scaled)) : std::trunc(scaled)) * unit;
}

/// One step of `Depth` products onto `sum`, in groups of `group`.
template <int Depth>
float tensor_core_step(float sum, const double (&products)[Depth], int group, bool away) {
    double total = sum;
    for (int first = 0; first < Depth; first += group) {
        double largest = std::fabs(total);
        for (int i = 0; i < group; ++i) largest = std::max(largest, std::fabs(products[first + i]));
        if (largest == 0) continue;
        const int exponent = std::ilogb(largest);
        double aligned = cut_off(total, exponent, away);
        for (int i = 0; i < group; ++i) aligned += cut_off(products[first + i], exponent, away);
        total = aligned == 0 ? 0 : cut_off(aligned, std::ilogb(aligned), away);
    }
    return float(total);
}

}  // namespace rote
