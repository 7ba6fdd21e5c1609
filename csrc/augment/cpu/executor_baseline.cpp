// augment/cpu/executor_baseline.cpp: the vector executor for the default instruction set (SSE2, NEON).

#define ROTE_LEVEL baseline
#include "augment/cpu/body.h"
#include "augment/cpu/rows.h"

namespace rote {

void draw_rows_baseline(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows) {
    draw_rows_on_vectors(plan, batch, begin, end, rows);
}

void render_views_baseline(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch) {
    render_views_on_vectors(job, begin, end, rows, scratch);
}

}  // namespace rote
