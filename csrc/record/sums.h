// record/sums.h: the sums over a row's classes on the CPU, one function per instruction set.
#pragma once

#include <cstdint>

#include "runtime/simd.h"

namespace rote {
namespace record {

constexpr int kLanes = 8;

/// Sums of e and of e^2 by class mod 8, e = exp(logit - largest).
struct LaneSums {
    double exponentials[kLanes], squares[kLanes];
};

/// Over logits[0 .. count), count a multiple of 8, none above `largest`; -inf adds nothing.
using SumRow = LaneSums (*)(const double* logits, int64_t count, double largest);

LaneSums sum_row_baseline(const double* logits, int64_t count, double largest);
#if defined(ROTE_X86)
LaneSums sum_row_avx2(const double* logits, int64_t count, double largest);
LaneSums sum_row_avx512(const double* logits, int64_t count, double largest);
#endif

inline SumRow sum_row_of(SimdLevel level) {
#if defined(ROTE_X86)
    if (level == SimdLevel::avx512) return sum_row_avx512;
    if (level == SimdLevel::avx2) return sum_row_avx2;
#endif
    (void)level;
    return sum_row_baseline;
}

}  // namespace record
}  // namespace rote
