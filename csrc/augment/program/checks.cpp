// augment/program/checks.cpp: which group checks a step, and what several groups check.
#include "augment/program/checks.h"

#include <cmath>

#include "augment/meaning/resize_taps.h"
#include "augment/program/kinds.h"
#include "rote/error.h"

namespace rote {

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

bool may_overshoot(const AugmentPlan& plan) {
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        const bool resizes = step.kind == AugmentKind::random_resized_crop || step.kind == AugmentKind::resize;
        if (resizes && resize_filter(step).interpolation == Interpolation::bicubic) return true;
    }
    return false;
}

void check_field(bool good, const AugmentStep& step, const char* field, int64_t view, const char* wanted) {
    ROTE_CHECK_ARG(good, "params: ", augment_kind_name(step.kind), ".", field, " of view ", view, ": wanted ", wanted);
}

namespace {

/// A size of the operation's own: both numbers, or the shorter side alone, with the longer one in proportion (rounded
/// down, as torchvision does).
void set_own_size(AugmentStep& step, bool shorter_side) {
    const char* const name = augment_kind_name(step.kind);
    const double height = step.constants[0], width = step.constants[1];
    for (double extent : {height, width})
        ROTE_CHECK_ARG(extent >= 0 && extent <= kMaxImageExtent && extent == std::floor(extent), name,
                       ".size: wanted whole pixels in [1, ", kMaxImageExtent, "], got ", extent);
    ROTE_CHECK_ARG(height > 0 && (width > 0 || shorter_side), name, ".size: wanted a height and a width, got ", height,
                   " x ", width);
    step.out_height = int32_t(height);
    step.out_width = int32_t(width);
    if (width > 0) return;
    const int64_t shorter = step.in_height < step.in_width ? step.in_height : step.in_width;
    const int64_t longer = step.in_height < step.in_width ? step.in_width : step.in_height;
    const int64_t stretched = int64_t(height) * longer / shorter;
    ROTE_CHECK_ARG(stretched <= kMaxImageExtent, name, ".size: wanted sides of at most ", kMaxImageExtent,
                   " pixels, got ", stretched, " for images of ", step.in_height, " x ", step.in_width);
    (step.in_height <= step.in_width ? step.out_height : step.out_width) = int32_t(height);
    (step.in_height <= step.in_width ? step.out_width : step.out_height) = int32_t(stretched);
}

}  // namespace

void set_output_size(const AugmentPlan& plan, AugmentStep& step) {
    step.out_height = step.in_height;
    step.out_width = step.in_width;
    switch (step.kind) {
        case AugmentKind::resize:
        case AugmentKind::center_crop:
            if (step.constants[0] != 0 || step.constants[1] != 0)
                return set_own_size(step, step.kind == AugmentKind::resize);
            [[fallthrough]];
        case AugmentKind::random_resized_crop:
        case AugmentKind::random_crop:
            step.out_height = plan.out_height;
            step.out_width = plan.out_width;
            return;
        default:
            return;
    }
}

void check_step(const AugmentPlan& plan, AugmentStep& step, bool normalized) {
    switch (group_of(step.kind)) {
        case AugmentGroup::geometry:
            return check_geometry_step(step, normalized);
        case AugmentGroup::color:
            return check_color_step(plan, step, normalized);
        case AugmentGroup::tone:
            return check_tone_step(plan, step, normalized);
        case AugmentGroup::noise:
            return check_noise_step(plan, step, normalized);
        case AugmentGroup::mix:
            return check_mix_step(plan, step);
    }
}

void check_step_row(const AugmentPlan& plan, const AugmentStep& step, const int32_t* row, int64_t view) {
    const int32_t* const fields = row + step.row_offset;
    switch (group_of(step.kind)) {
        case AugmentGroup::geometry:
            return check_geometry_row(step, fields, view);
        case AugmentGroup::color:
            return check_color_row(step, fields, view);
        case AugmentGroup::tone:
            return check_tone_row(step, fields, view);
        case AugmentGroup::noise:
            return check_noise_row(step, fields, view);
        case AugmentGroup::mix:
            return check_mix_row(plan, step, row, view);
    }
}

}  // namespace rote
