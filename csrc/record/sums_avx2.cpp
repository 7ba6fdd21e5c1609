// record/sums_avx2.cpp: the sums over a row's classes for AVX2.
#if defined(ROTE_X86)
#define ROTE_LEVEL avx2
#include "record/sum_loop.h"

namespace rote {
namespace record {

LaneSums sum_row_avx2(const double* logits, int64_t count, double largest) {
    return sum_row(logits, count, largest);
}

}  // namespace record
}  // namespace rote
#endif
