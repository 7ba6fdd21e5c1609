// augment/dispatch.cpp: checks of a batch, choice of the CPU executor, threads by view.
#include <cmath>
#include <cstdlib>
#include <memory>

#include "augment/executor.h"
#include "augment/geometry.h"
#include "augment/sampler.h"
#include "rote/error.h"
#include "runtime/parallel.h"
#include "runtime/simd.h"

namespace rote {
namespace {

void check_addresses(const AugmentBatch& batch) {
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    for (int64_t i = 0; i < batch.count; ++i) {
        ROTE_CHECK_ARG(batch.ids[i] >= 0 && uint64_t(batch.ids[i]) < kMaxImages,
                       "ids: wanted image ids in [0, 2^40), got ", batch.ids[i], " at position ", i);
        ROTE_CHECK_ARG(batch.views[i] >= 0 && uint64_t(batch.views[i]) < kMaxViews,
                       "views: wanted view ids in [0, 2^48), got ", batch.views[i], " at position ", i);
    }
}

void check_field(bool good, const AugmentStep& step, const char* field, int64_t view, const char* wanted) {
    ROTE_CHECK_ARG(good, "params: ", augment_kind_name(step.kind), ".", field, " of view ", view, ": wanted ", wanted);
}

void check_window(const AugmentStep& step, const int32_t* f, int64_t view) {
    check_field(f[2] >= 1 && f[2] <= step.in_height, step, "height", view, "a height within the image");
    check_field(f[3] >= 1 && f[3] <= step.in_width, step, "width", view, "a width within the image");
    check_field(f[0] >= 0 && f[0] <= step.in_height - f[2], step, "top", view, "a window within the image");
    check_field(f[1] >= 0 && f[1] <= step.in_width - f[3], step, "left", view, "a window within the image");
}

void check_step_row(const AugmentStep& step, const int32_t* row, int64_t view) {
    const int32_t* f = row + step.row_offset;
    const auto value = [&](int i) { return word_float(f[i]); };
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            return check_window(step, f, view);
        case AugmentKind::random_crop: {
            const int32_t padding = int32_t(step.constants[0]);
            check_field(f[0] >= 0 && f[0] <= step.in_height + 2 * padding - step.out_height, step, "top", view,
                        "a window within the padded image");
            check_field(f[1] >= 0 && f[1] <= step.in_width + 2 * padding - step.out_width, step, "left", view,
                        "a window within the padded image");
            return;
        }
        case AugmentKind::random_affine: {
            const double reach = kMaxImageExtent;
            check_field(std::isfinite(value(0)), step, "angle", view, "a finite number of degrees");
            check_field(std::fabs(double(f[1])) <= reach, step, "translate_x", view, "at most 16384 pixels");
            check_field(std::fabs(double(f[2])) <= reach, step, "translate_y", view, "at most 16384 pixels");
            check_field(value(3) >= 1e-4f && value(3) <= 1e4f, step, "scale", view, "a factor in [1e-4, 1e4]");
            check_field(std::fabs(value(4)) <= 89.9f, step, "shear_x", view, "at most 89.9 degrees");
            check_field(std::fabs(value(5)) <= 89.9f, step, "shear_y", view, "at most 89.9 degrees");
            return;
        }
        case AugmentKind::color_jitter: {
            int seen = 0;
            for (int i = 1; i <= 4; ++i) seen |= f[i] >= 0 && f[i] < 4 ? 1 << f[i] : 0;
            check_field(seen == 15, step, "order", view, "a permutation of 0, 1, 2, 3");
            const char* const names[] = {"brightness", "contrast", "saturation"};
            for (int i = 0; i < 3; ++i)
                check_field(value(5 + i) >= 0 && value(5 + i) <= 1e6f, step, names[i], view, "a factor in [0, 1e6]");
            check_field(std::fabs(value(8)) <= 0.5f, step, "hue", view, "a shift in [-0.5, 0.5]");
            return;
        }
        case AugmentKind::horizontal_flip:
        case AugmentKind::grayscale:
        case AugmentKind::normalize:
            return;
    }
}

void check_images(const AugmentPlan& plan, const ImageView<const uint8_t>& images) {
    ROTE_CHECK_ARG(images.channels == plan.channels && images.height == plan.in_height && images.width == plan.in_width,
                   "images: the program is for [*, ", plan.channels, ", ", plan.in_height, ", ", plan.in_width,
                   "], got [", images.count, ", ", images.channels, ", ", images.height, ", ", images.width, "]");
}

void check_output(const AugmentOutput& output) {
    ROTE_CHECK_ARG(output.dtype == DType::float32 || output.dtype == DType::float16 || output.dtype == DType::bfloat16,
                   "dtype: wanted float32, float16 or bfloat16, got code ", int32_t(output.dtype));
}

RenderViews executor_of(const std::string& level) {
    if (level == "scalar") return render_views_scalar;
    switch (resolve_simd_level(level)) {
        case SimdLevel::baseline:
            return render_views_baseline;
#if defined(ROTE_X86)
        case SimdLevel::avx2:
            return render_views_avx2;
        case SimdLevel::avx512:
            return render_views_avx512;
#endif
        default:
            break;
    }
    throw ArgumentError(concat("level: ", level, " is not compiled into this build"));
}

/// Scratch of one thread, kept between calls: a call with one view must not pay for an allocation.
struct ThreadScratch {
    char* data = nullptr;
    size_t size = 0;

    char* require(size_t bytes) {
        bytes = (bytes + 63) / 64 * 64;
        if (bytes > size) {
            std::free(data);
            data = static_cast<char*>(std::aligned_alloc(64, bytes));
            size = data ? bytes : 0;
            if (!data) throw std::bad_alloc();
            std::memset(data, 0, bytes);
        }
        return data;
    }
    ~ThreadScratch() { std::free(data); }
};

thread_local ThreadScratch thread_scratch;

/// Views handed out at a time: enough to hide the hand-out, few enough to balance.
int64_t grain_of(const AugmentPlan& plan) {
    const int64_t pixels = int64_t(plan.channels) * plan.out_height * plan.out_width;
    const int64_t grain = 131072 / pixels;
    return grain < 1 ? 1 : (grain > 64 ? 64 : grain);
}

}  // namespace

void augment_sample(const AugmentProgram& program, const AugmentBatch& batch, int32_t* rows, int num_threads) {
    check_addresses(batch);
    const AugmentPlan& plan = program.plan();
    parallel_for(batch.count, 1024, num_threads, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i)
            draw_row(plan, batch.seed, uint64_t(batch.ids[i]), uint64_t(batch.views[i]), rows + i * plan.row_words);
    });
}

void augment_render(const AugmentProgram& program, const ImageView<const uint8_t>& images, const AugmentBatch& batch,
                    const AugmentOutput& output, int num_threads, const std::string& level) {
    const AugmentPlan& plan = program.plan();
    const RenderViews render = executor_of(level);
    check_images(plan, images);
    check_output(output);
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    for (int64_t i = 0; i < batch.count; ++i)
        ROTE_CHECK_ARG(batch.ids[i] >= 0 && batch.ids[i] < images.count, "ids: wanted indices in [0, ", images.count,
                       ") (the number of images), got ", batch.ids[i], " at position ", i);
    if (batch.rows) {
        for (int64_t i = 0; i < batch.count; ++i)
            for (int32_t s = 0; s < plan.num_steps; ++s)
                check_step_row(plan.steps[s], batch.rows + i * plan.row_words, i);
    } else {
        ROTE_CHECK_ARG(batch.views, "views: wanted view ids, or the parameter rows to replay");
        check_addresses(batch);
    }

    const RenderJob job{&plan, &program.resize_tables(), images, batch.ids, output};
    const int64_t grain = grain_of(plan);
    const size_t executor_bytes = size_t(scratch_bytes(plan) + 63) / 64 * 64;
    const size_t row_bytes = size_t(grain) * size_t(plan.row_words) * sizeof(int32_t);
    parallel_for(batch.count, grain, num_threads, [&](int64_t begin, int64_t end, int) {
        char* scratch = thread_scratch.require(executor_bytes + row_bytes);
        const int32_t* rows = batch.rows ? batch.rows + begin * plan.row_words : nullptr;
        if (!rows) {
            int32_t* drawn = reinterpret_cast<int32_t*>(scratch + executor_bytes);
            for (int64_t i = begin; i < end; ++i)
                draw_row(plan, batch.seed, uint64_t(batch.ids[i]), uint64_t(batch.views[i]),
                         drawn + (i - begin) * plan.row_words);
            rows = drawn;
        }
        render(job, begin, end, rows, scratch);
    });
}

}  // namespace rote
