// augment/cpu/reference.cpp: the oracle. One view at a time, one operation after another, one pixel at a time.
#include "augment/cpu/executor.h"
#include "augment/cpu/reference_image.h"
#include "augment/meaning/color.h"
#include "augment/program/kinds.h"
#include "augment/sampling/draw.h"

namespace rote {
namespace {

ReferenceImage load(const ImageView<const uint8_t>& bank, int64_t id) {
    ReferenceImage image(bank.channels, bank.height, bank.width);
    for (int32_t c = 0; c < bank.channels; ++c)
        for (int32_t y = 0; y < bank.height; ++y)
            for (int32_t x = 0; x < bank.width; ++x)
                image.at(c, y, x) = unit_from_byte<float>(float(*bank.at(id, c, y, x)));
    return image;
}

/// The first `steps` steps of the program on an image of the bank. A partner's row is never mixed again.
ReferenceImage render(const RenderJob& job, int64_t id, const int32_t* row, int32_t steps, bool mix) {
    ReferenceImage image = load(job.images, id);
    for (int32_t s = 0; s < steps; ++s) {
        const AugmentStep& step = job.plan->steps[s];
        switch (group_of(step.kind)) {
            case AugmentGroup::geometry:
                apply_geometry(image, step, row);
                break;
            case AugmentGroup::color:
                apply_color(image, step, row);
                break;
            case AugmentGroup::tone:
                apply_tone(image, step, row);
                break;
            case AugmentGroup::noise:
                apply_noise(image, step, row);
                break;
            case AugmentGroup::mix:
                if (!mix) break;
                const int32_t* const partner_row = row + step.row_offset + step.row_words;
                apply_mix(image, render(job, row[step.row_offset], partner_row, s, false), step, row);
                break;
        }
    }
    return image;
}

void store(const ReferenceImage& image, const AugmentOutput& output, int64_t view) {
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) {
                const int64_t place =
                    view * output.strides[0] + c * output.strides[1] + y * output.strides[2] + x * output.strides[3];
                const float value = image.at(c, y, x);
                if (output.dtype == DType::float32)
                    static_cast<float*>(output.data)[place] = value;
                else if (output.dtype == DType::float16)
                    static_cast<Half*>(output.data)[place] = to_half(value);
                else
                    static_cast<BFloat16*>(output.data)[place] = to_bfloat16(value);
            }
}

}  // namespace

void draw_rows_scalar(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end, int32_t* rows) {
    for (int64_t i = begin; i < end; ++i)
        draw_row(plan, batch.seed, uint64_t(batch.address_id(i)), uint64_t(batch.views[i]),
                 rows + (i - begin) * plan.row_words);
}

void render_views_scalar(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char*) {
    for (int64_t view = begin; view < end; ++view) {
        const int32_t* row = rows + (view - begin) * job.plan->row_words;
        store(render(job, job.ids[view], row, job.plan->num_steps, true), job.output, view);
    }
}

}  // namespace rote
