// record/sums_avx512.cpp: the sums over a row's classes for AVX-512.
#if defined(ROTE_X86)
#define ROTE_LEVEL avx512
#include "record/sum_loop.h"

namespace rote {
namespace record {

LaneSums sum_row_avx512(const double* logits, int64_t count, double largest) {
    return sum_row(logits, count, largest);
}

}  // namespace record
}  // namespace rote
#endif
