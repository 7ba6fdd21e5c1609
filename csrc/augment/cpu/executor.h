// augment/cpu/executor.h: what the CPU executors have in common: one job, rendered view by view.
#pragma once

#include <cstdint>

#include "augment/cpu/normalization.h"
#include "augment/program/resize_tables.h"
#include "rote/augment.h"

namespace rote {

/// A checked batch. Everything an executor reads besides the row of a view.
struct RenderJob {
    const AugmentPlan* plan;
    const ResizeTables* tables;
    ImageView<const uint8_t> images;
    const int64_t* ids;
    AugmentOutput output;
    const Normalization* normalizations;  ///< [kMaxAugmentSteps], filled where the step normalizes
    bool streams;                         ///< the output is larger than the caches: write past them
};

/// Renders views begin..end-1 of the job; rows is [end - begin, row_words]. scratch belongs to the calling thread, is
/// 64-byte aligned and holds scratch_bytes(plan) bytes.
using RenderViews = void (*)(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch);

/// Draws the parameter rows of views begin .. end - 1 of a batch, [end - begin, row_words].
using DrawRows = void (*)(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end,
                          int32_t* rows);

int64_t scratch_bytes(const AugmentPlan& plan);

void draw_rows_scalar(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows);
void render_views_scalar(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch);
void draw_rows_baseline(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows);
void render_views_baseline(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch);
void draw_rows_avx2(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows);
void render_views_avx2(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch);
void draw_rows_avx512(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows);
void render_views_avx512(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch);

}  // namespace rote
