// augment/cpu/executor_avx512.cpp: the vector executor for AVX-512 (F, BW, VL, DQ).

#if defined(ROTE_X86)

// gcc 12's own avx512fintrin.h reads _mm512_undefined_*() and warns about it wherever it is inlined.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define ROTE_LEVEL avx512
#include "augment/cpu/body.h"
#include "augment/cpu/rows.h"

namespace rote {

void draw_rows_avx512(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows) {
    draw_rows_on_vectors(plan, batch, begin, end, rows);
}

void render_views_avx512(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch) {
    render_views_on_vectors(job, begin, end, rows, scratch);
}

}  // namespace rote

#endif
