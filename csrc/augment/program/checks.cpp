// augment/program/checks.cpp: which group checks a step, and what several groups check.
#include "augment/program/checks.h"

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

void check_field(bool good, const AugmentStep& step, const char* field, int64_t view, const char* wanted) {
    ROTE_CHECK_ARG(good, "params: ", augment_kind_name(step.kind), ".", field, " of view ", view, ": wanted ", wanted);
}

void set_output_size(const AugmentPlan& plan, AugmentStep& step) {
    step.out_height = step.in_height;
    step.out_width = step.in_width;
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::random_crop:
        case AugmentKind::resize:
        case AugmentKind::center_crop:
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
