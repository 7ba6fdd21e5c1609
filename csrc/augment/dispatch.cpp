// augment/dispatch.cpp: checks of batches, choice of the CPU executor, threads by view.
#include <cstdlib>
#include <memory>

#include "augment/cpu/executor.h"
#include "augment/program/checks.h"
#include "rote/address.h"
#include "rote/error.h"
#include "runtime/parallel.h"
#include "runtime/simd.h"

namespace rote {
namespace {

void check_addresses(const AugmentBatch& batch) {
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    for (int64_t i = 0; i < batch.count; ++i) {
        const int64_t id = batch.address_id(i);
        ROTE_CHECK_ARG(id >= 0 && uint64_t(id) < kMaxImages, batch.address_ids ? "address_ids" : "ids",
                       ": wanted image ids in [0, 2^40), got ", id, " at position ", i);
        ROTE_CHECK_ARG(batch.views[i] >= 0 && uint64_t(batch.views[i]) < kMaxViews,
                       "views: wanted view ids in [0, 2^48), got ", batch.views[i], " at position ", i);
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

void check_job(const AugmentPlan& plan, const AugmentJob& job) {
    const AugmentBatch& batch = job.batch;
    check_images(plan, job.images);
    check_output(job.output);
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    for (int64_t i = 0; i < batch.count; ++i)
        ROTE_CHECK_ARG(batch.ids[i] >= 0 && batch.ids[i] < job.images.count, "ids: wanted indices in [0, ",
                       job.images.count, ") (the number of images), got ", batch.ids[i], " at position ", i);
    if (batch.rows) {
        for (int64_t i = 0; i < batch.count; ++i)
            for (int32_t s = 0; s < plan.num_steps; ++s)
                check_step_row(plan, plan.steps[s], batch.rows + i * plan.row_words, i);
    } else {
        ROTE_CHECK_ARG(batch.views, "views: wanted view ids, or the parameter rows to replay");
        check_addresses(batch);
    }
    check_partners(plan, batch.rows, batch.count, job.images.count);
}

struct Executor {
    const char* name;
    DrawRows draw;
    RenderViews render;
};

Executor executor_of(const std::string& level) {
    if (level == "scalar") return {"scalar", draw_rows_scalar, render_views_scalar};
    switch (resolve_simd_level(level)) {
        case SimdLevel::baseline:
            return {"baseline", draw_rows_baseline, render_views_baseline};
#if defined(ROTE_X86)
        case SimdLevel::avx2:
            return {"avx2", draw_rows_avx2, render_views_avx2};
        case SimdLevel::avx512:
            return {"avx512", draw_rows_avx512, render_views_avx512};
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

/// Outputs above this are written past the caches: nobody finds them there anyway.
constexpr int64_t kStreamedBytes = int64_t(16) << 20;

int64_t output_bytes(const AugmentPlan& plan, const AugmentOutput& output) {
    return int64_t(plan.channels) * plan.out_height * plan.out_width * (output.dtype == DType::float32 ? 4 : 2);
}

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
    const DrawRows draw = executor_of("auto").draw;
    parallel_for(batch.count, 1024, num_threads, [&](int64_t begin, int64_t end, int) {
        draw(plan, batch, begin, end, rows + begin * plan.row_words);
    });
}

std::string augment_executor(const std::string& level) {
    return executor_of(level).name;
}

void augment_render(const AugmentProgram& program, const ImageView<const uint8_t>& images, const AugmentBatch& batch,
                    const AugmentOutput& output, int num_threads, const std::string& level) {
    const AugmentJob job{images, batch, output};
    augment_render_batches(program, &job, 1, num_threads, level);
}

void augment_render_batches(const AugmentProgram& program, const AugmentJob* jobs, int64_t count, int num_threads,
                            const std::string& level) {
    const AugmentPlan& plan = program.plan();
    const Executor executor = executor_of(level);
    int64_t longest = 0, bytes = 0;
    for (int64_t j = 0; j < count; ++j) {
        check_job(plan, jobs[j]);
        longest = jobs[j].batch.count > longest ? jobs[j].batch.count : longest;
        bytes += jobs[j].batch.count * output_bytes(plan, jobs[j].output);
    }

    Normalization normalizations[kMaxAugmentSteps];
    for (int32_t s = 0; s < plan.num_steps; ++s)
        if (plan.steps[s].kind == AugmentKind::normalize)
            normalizations[s] = prepare_normalization(plan.steps[s], plan.channels);
    const int64_t grain = grain_of(plan);
    const int64_t pieces = (longest + grain - 1) / grain;  // of a batch; a shorter one leaves its last ones empty
    const size_t executor_bytes = size_t(scratch_bytes(plan) + 63) / 64 * 64;
    const size_t row_bytes = size_t(grain) * size_t(plan.row_words) * sizeof(int32_t);
    const auto render_piece = [&](const AugmentJob& job, int64_t begin, int64_t end) {
        char* scratch = thread_scratch.require(executor_bytes + row_bytes);
        const AugmentBatch& batch = job.batch;
        const int32_t* rows = batch.rows ? batch.rows + begin * plan.row_words : nullptr;
        if (!rows) {
            int32_t* drawn = reinterpret_cast<int32_t*>(scratch + executor_bytes);
            executor.draw(plan, batch, begin, end, drawn);
            rows = drawn;
        }
        const RenderJob render{&plan,          &program.resize_tables(), job.images, batch.ids, job.output,
                               normalizations, bytes > kStreamedBytes};
        executor.render(render, begin, end, rows, scratch);
    };
    parallel_for(count * pieces, 1, num_threads, [&](int64_t first, int64_t last, int) {
        for (int64_t piece = first; piece < last; ++piece) {
            const AugmentJob& job = jobs[piece / pieces];
            const int64_t begin = piece % pieces * grain;
            const int64_t end = begin + grain < job.batch.count ? begin + grain : job.batch.count;
            if (begin < end) render_piece(job, begin, end);
        }
    });
}

}  // namespace rote
