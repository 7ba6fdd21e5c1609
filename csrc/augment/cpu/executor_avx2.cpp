// augment/cpu/executor_avx2.cpp: the vector executor for AVX2.

#if defined(ROTE_X86)

#define ROTE_LEVEL avx2
#include "augment/cpu/body.h"
#include "augment/cpu/rows.h"

namespace rote {

void draw_rows_avx2(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows) {
    draw_rows_on_vectors(plan, batch, begin, end, rows);
}

void render_views_avx2(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch) {
    render_views_on_vectors(job, begin, end, rows, scratch);
}

}  // namespace rote

#endif
