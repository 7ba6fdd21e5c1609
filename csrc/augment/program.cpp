// augment/program.cpp: validation of recipes.
#include <cmath>

#include "augment/resize_tables.h"
#include "augment/sampler.h"
#include "rote/augment.h"
#include "rote/error.h"

namespace rote {

const char* augment_kind_name(AugmentKind kind) {
    switch (kind) {
        case AugmentKind::random_resized_crop:
            return "random_resized_crop";
        case AugmentKind::random_crop:
            return "random_crop";
        case AugmentKind::horizontal_flip:
            return "horizontal_flip";
        case AugmentKind::random_affine:
            return "random_affine";
        case AugmentKind::color_jitter:
            return "color_jitter";
        case AugmentKind::grayscale:
            return "grayscale";
        case AugmentKind::normalize:
            return "normalize";
    }
    return "unknown";
}

namespace {

size_t constants_of(AugmentKind kind) {
    switch (kind) {
        case AugmentKind::random_resized_crop:
            return 4;
        case AugmentKind::random_crop:
            return 3;
        case AugmentKind::horizontal_flip:
        case AugmentKind::grayscale:
            return 1;
        case AugmentKind::random_affine:
            return 12;
        case AugmentKind::color_jitter:
            return 9;
        case AugmentKind::normalize:
            return 6;
    }
    return 0;
}

void check_probability(const char* name, double p) {
    ROTE_CHECK_ARG(p >= 0 && p <= 1, name, ".p: wanted a probability in [0, 1], got ", p);
}

void check_range(const char* name, const char* field, double low, double high, double least, double most) {
    ROTE_CHECK_ARG(low <= high && low >= least && high <= most, name, ".", field, ": wanted a range inside [", least,
                   ", ", most, "] with low <= high, got (", low, ", ", high, ")");
}

/// Before a normalize the image lives in [0, 1], and the colour operations rely on it.
void check_fill(const char* name, double fill, bool normalized) {
    ROTE_CHECK_ARG(normalized || (fill >= 0 && fill <= 1), name, ".fill: wanted a value in [0, 1], got ", fill);
}

void check_colour(const AugmentPlan& plan, const char* name, bool normalized) {
    ROTE_CHECK_ARG(plan.channels == 1 || plan.channels == 3, name, ": wanted images of 1 or 3 channels, got ",
                   plan.channels);
    ROTE_CHECK_ARG(!normalized, name, ": wanted before normalize (it works on pixels in [0, 1])");
}

void check_random_crop(const char* name, const AugmentStep& step, bool normalized) {
    const double padding = step.constants[0], mode = step.constants[1];
    ROTE_CHECK_ARG(padding >= 0 && padding <= kMaxImageExtent && padding == std::floor(padding), name,
                   ".padding: wanted whole pixels in [0, ", kMaxImageExtent, "], got ", padding);
    ROTE_CHECK_ARG(mode == 0 || mode == 1 || mode == 2 || mode == 3, name,
                   ".padding_mode: wanted 0 (constant), 1 (edge), 2 (reflect) or 3 (symmetric), got ", mode);
    check_fill(name, step.constants[2], normalized);
    const int32_t least = step.in_height < step.in_width ? step.in_height : step.in_width;
    if (mode == 2)
        ROTE_CHECK_ARG(padding < least, name, ".padding: reflect needs padding below the image size ", least, ", got ",
                       padding);
    if (mode == 3)
        ROTE_CHECK_ARG(padding <= least, name, ".padding: symmetric needs padding up to the image size ", least,
                       ", got ", padding);
    ROTE_CHECK_ARG(step.out_height <= step.in_height + 2 * padding && step.out_width <= step.in_width + 2 * padding,
                   name, ": wanted an output size within the padded image ", step.in_height + 2 * padding, " x ",
                   step.in_width + 2 * padding, ", got ", step.out_height, " x ", step.out_width);
}

void check_random_affine(const char* name, const AugmentStep& step, bool normalized) {
    const double* c = step.constants;
    check_range(name, "degrees", c[0], c[1], -1e6, 1e6);
    check_range(name, "translate", c[2], c[2], 0, 1);
    check_range(name, "translate", c[3], c[3], 0, 1);
    check_range(name, "scale", c[4], c[5], 1e-3, 1e3);
    check_range(name, "shear", c[6], c[7], -89, 89);
    check_range(name, "shear", c[8], c[9], -89, 89);
    ROTE_CHECK_ARG(c[10] == 0 || c[10] == 1, name, ".interpolation: wanted 0 (nearest) or 1 (bilinear), got ", c[10]);
    check_fill(name, c[11], normalized);
}

/// Checks one step whose sizes are set, and derives the constants the sampler wants.
void check_step(const AugmentPlan& plan, AugmentStep& step, bool normalized) {
    const char* name = augment_kind_name(step.kind);
    double* c = step.constants;
    constexpr double kAny = 1e30;
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            check_range(name, "scale", c[0], c[1], 1e-9, kAny);
            check_range(name, "ratio", c[2], c[3], 1e-6, 1e6);
            c[4] = log2_exact(c[2]);
            c[5] = log2_exact(c[3]);
            return;
        case AugmentKind::random_crop:
            return check_random_crop(name, step, normalized);
        case AugmentKind::horizontal_flip:
            return check_probability(name, c[0]);
        case AugmentKind::random_affine:
            return check_random_affine(name, step, normalized);
        case AugmentKind::color_jitter:
            check_colour(plan, name, normalized);
            check_range(name, "brightness", c[0], c[1], 0, 1e6);
            check_range(name, "contrast", c[2], c[3], 0, 1e6);
            check_range(name, "saturation", c[4], c[5], 0, 1e6);
            check_range(name, "hue", c[6], c[7], -0.5, 0.5);
            return check_probability(name, c[8]);
        case AugmentKind::grayscale:
            check_colour(plan, name, normalized);
            return check_probability(name, c[0]);
        case AugmentKind::normalize:
            ROTE_CHECK_ARG(plan.channels == 1 || plan.channels == 3, name, ": wanted images of 1 or 3 channels, got ",
                           plan.channels);
            for (int i = 3; i < 6; ++i)
                ROTE_CHECK_ARG(float(c[i]) > 0, name, ".std: wanted positive values, got ", c[i]);
            return;
    }
}

void check_extent(const char* name, int64_t extent) {
    ROTE_CHECK_ARG(extent >= 1 && extent <= kMaxImageExtent, name, ": wanted a size in [1, ", kMaxImageExtent,
                   "], got ", extent);
}

AugmentPlan plan_of(const std::vector<AugmentOp>& ops, int64_t channels, int64_t in_height, int64_t in_width,
                    int64_t out_height, int64_t out_width) {
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
        ROTE_CHECK_ARG(op.kind >= 1 && op.kind <= 7, "ops: unknown operation code ", op.kind);
        AugmentStep& step = plan.steps[plan.num_steps++];
        step.kind = AugmentKind(op.kind);
        const char* name = augment_kind_name(step.kind);
        ROTE_CHECK_ARG(op.occurrence >= 0 && op.occurrence < 16, name, ": wanted an occurrence in [0, 16), got ",
                       op.occurrence);
        step.stream = uint32_t(op.kind * 16 + op.occurrence);
        for (int32_t other = 0; other + 1 < plan.num_steps; ++other)
            ROTE_CHECK_ARG(plan.steps[other].stream != step.stream, name, ": occurrence ", op.occurrence,
                           " stands twice in the recipe");
        ROTE_CHECK_ARG(op.constants.size() == constants_of(step.kind), name, ": wanted ", constants_of(step.kind),
                       " constants, got ", op.constants.size());
        for (size_t i = 0; i < op.constants.size(); ++i) {
            ROTE_CHECK_ARG(std::isfinite(op.constants[i]), name, ": constant ", i, " is not finite");
            step.constants[i] = op.constants[i];
        }
        step.row_offset = plan.row_words;
        plan.row_words += fields_of(step.kind);
        step.in_height = step.out_height = height;
        step.in_width = step.out_width = width;
        if (step.kind == AugmentKind::random_resized_crop || step.kind == AugmentKind::random_crop) {
            step.out_height = height = plan.out_height;
            step.out_width = width = plan.out_width;
        }
        check_step(plan, step, normalized);
        normalized = normalized || step.kind == AugmentKind::normalize;
    }
    ROTE_CHECK_ARG(height == plan.out_height && width == plan.out_width, "size: the recipe leaves images at ", height,
                   " x ", width, " and has no crop that makes them ", plan.out_height, " x ", plan.out_width);
    return plan;
}

}  // namespace

AugmentProgram::AugmentProgram(const std::vector<AugmentOp>& ops, int64_t channels, int64_t in_height,
                               int64_t in_width, int64_t out_height, int64_t out_width)
    : plan_(plan_of(ops, channels, in_height, in_width, out_height, out_width)),
      tables_(std::make_unique<ResizeTables>()) {
    build_resize_tables(plan_, tables_.get());
}

AugmentProgram::~AugmentProgram() = default;

}  // namespace rote
