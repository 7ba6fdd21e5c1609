// record/sums_baseline.cpp: the sums over a row's classes for what the compiler targets by default.
#define ROTE_LEVEL baseline
#include "record/sum_loop.h"

namespace rote {
namespace record {

LaneSums sum_row_baseline(const double* logits, int64_t count, double largest) {
    return sum_row(logits, count, largest);
}

}  // namespace record
}  // namespace rote
