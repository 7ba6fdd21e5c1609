// augment/cpu/normalization.h: (x - mean) / std without a division where that gives the same bits.
//
// With high = 1/std rounded toward zero and low = 1/std - high rounded to nearest, fma(y, high, y * low) is y / std
// correctly rounded for all but few divisors (Brisebarre, Muller and Raina, "Accelerating correctly rounded
// floating-point division when the divisor is known in advance", IEEE Trans. Computers 53(8), 2004). Whether a divisor
// is one of them does not depend on the exponent of y, so each is tried with all 2^23 mantissas, once per process.
#pragma once

#include <cstdint>

#include "rote/augment.h"

namespace rote {

enum class NormalizationMethod : int32_t { divide, reciprocal, scale };

/// The constants of a normalize step in float32.
struct Normalization {
    NormalizationMethod method = NormalizationMethod::divide;
    float mean[3] = {}, std[3] = {};
    float high[3] = {}, low[3] = {};  // of 1 / std; scale needs high alone
};

/// scale: every std is a power of two. reciprocal: tried and found exact, and no intermediate leaves the normal range.
Normalization prepare_normalization(const AugmentStep& step, int32_t channels);

/// Whether fma(y, high, y * low) == y / std for y in [1, 2). By AVX2; only where the CPU has it.
bool reciprocal_is_exact(float std, float high, float low);

}  // namespace rote
