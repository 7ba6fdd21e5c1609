// augment/program/checks_color.cpp: colour jitter, grey, normalization.
#include <cmath>

#include "augment/meaning/row.h"
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {

void check_color_step(const AugmentPlan& plan, AugmentStep& step, bool normalized) {
    const char* const name = augment_kind_name(step.kind);
    double* const c = step.constants;
    switch (step.kind) {
        case AugmentKind::color_jitter:
            check_colour(plan, name, normalized);
            check_range(name, "brightness", c[0], c[1], 0, 1e6);
            check_range(name, "contrast", c[2], c[3], 0, 1e6);
            check_range(name, "saturation", c[4], c[5], 0, 1e6);
            check_range(name, "hue", c[6], c[7], -0.5, 0.5);
            c[9] = may_overshoot(plan);
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
        default:
            return;
    }
}

void check_color_row(const AugmentStep& step, const int32_t* f, int64_t view) {
    const auto value = [&](int i) { return word_float(f[i]); };
    switch (step.kind) {
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
        default:
            return;
    }
}

}  // namespace rote
