// record/sum_loop.h: the loop behind record/sums.h, made into vectors by the compiler for each instruction set.
#pragma once

#include "record/elementary.h"
#include "record/sums.h"

namespace rote {
namespace record {
inline namespace ROTE_LEVEL {

inline LaneSums sum_row(const double* logits, int64_t count, double largest) {
    LaneSums sums = {};
    for (int64_t c = 0; c < count; c += kLanes) {
        for (int l = 0; l < kLanes; ++l) {
            const double e = exp_of_nonpositive(logits[c + l] - largest);
            sums.exponentials[l] += e;
            sums.squares[l] += e * e;
        }
    }
    return sums;
}

}  // namespace ROTE_LEVEL
}  // namespace record
}  // namespace rote
