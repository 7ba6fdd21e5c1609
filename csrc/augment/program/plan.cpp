// augment/program/plan.cpp: a recipe bound to image sizes.
#include <cmath>

#include "augment/program/checks.h"
#include "augment/program/kinds.h"
#include "augment/program/resize_tables.h"
#include "rote/augment.h"
#include "rote/error.h"
#include "runtime/float_env.h"

namespace rote {

namespace {

void check_extent(const char* name, int64_t extent) {
    ROTE_CHECK_ARG(extent >= 1 && extent <= kMaxImageExtent, name, ": wanted a size in [1, ", kMaxImageExtent,
                   "], got ", extent);
}

AugmentPlan plan_of(const std::vector<AugmentOp>& ops, int64_t channels, int64_t in_height, int64_t in_width,
                    int64_t out_height, int64_t out_width) {
    const FloatEnvironment environment;
    ROTE_CHECK_ARG(ops.size() <= kMaxAugmentSteps, "ops: wanted at most ", kMaxAugmentSteps, " operations, got ",
                   ops.size());
    ROTE_CHECK_ARG(channels >= 1 && channels <= 4096, "channels: wanted a number in [1, 4096], got ", channels);
    check_extent("in_height", in_height);
    check_extent("in_width", in_width);
    check_extent("out_height", out_height);
    check_extent("out_width", out_width);

    AugmentPlan plan{};
    plan.channels = int32_t(channels);
    plan.in_height = int32_t(in_height);
    plan.in_width = int32_t(in_width);
    plan.out_height = int32_t(out_height);
    plan.out_width = int32_t(out_width);
    int32_t height = plan.in_height, width = plan.in_width;
    bool normalized = false;
    for (const AugmentOp& op : ops) {
        const KindInfo* const info = find_kind(op.kind);
        ROTE_CHECK_ARG(info, "ops: unknown operation code ", op.kind);
        const char* const name = info->name;
        AugmentStep& step = plan.steps[plan.num_steps++];
        step.kind = info->kind;
        ROTE_CHECK_ARG(op.occurrence >= 0 && op.occurrence < 16, name, ": wanted an occurrence in [0, 16), got ",
                       op.occurrence);
        step.stream = uint32_t(op.kind * 16 + op.occurrence);
        for (int32_t other = 0; other + 1 < plan.num_steps; ++other)
            ROTE_CHECK_ARG(plan.steps[other].stream != step.stream, name, ": occurrence ", op.occurrence,
                           " stands twice in the recipe");
        ROTE_CHECK_ARG(op.constants.size() == size_t(info->constants), name, ": wanted ", info->constants,
                       " constants, got ", op.constants.size());
        for (size_t i = 0; i < op.constants.size(); ++i) {
            ROTE_CHECK_ARG(std::isfinite(op.constants[i]), name, ": constant ", i, " is not finite");
            step.constants[i] = op.constants[i];
        }
        step.row_offset = plan.row_words;
        step.in_height = height;
        step.in_width = width;
        set_output_size(plan, step);
        height = step.out_height;
        width = step.out_width;
        check_step(plan, step, normalized);
        step.row_words = row_words_of(step);
        plan.row_words += step.row_words + (mixes(step.kind) ? step.row_offset : 0);
        ROTE_CHECK_ARG(plan.row_words <= kMaxAugmentRowWords, "ops: wanted at most ", kMaxAugmentRowWords,
                       " words of parameters, got ", plan.row_words);
        normalized = normalized || leaves_unit_range(step);
    }
    ROTE_CHECK_ARG(height == plan.out_height && width == plan.out_width, "size: the recipe leaves images at ", height,
                   " x ", width, " and has no crop or resize that makes them ", plan.out_height, " x ", plan.out_width);
    return plan;
}

}  // namespace

AugmentProgram::AugmentProgram(const std::vector<AugmentOp>& ops, int64_t channels, int64_t in_height, int64_t in_width,
                               int64_t out_height, int64_t out_width)
    : plan_(plan_of(ops, channels, in_height, in_width, out_height, out_width)),
      tables_(std::make_unique<ResizeTables>()) {
    const FloatEnvironment environment;
    build_resize_tables(plan_, tables_.get());
}

AugmentProgram::~AugmentProgram() = default;

}  // namespace rote
