// augment/program/checks_noise.cpp: erasing, cutout, noise.
#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {
namespace {

constexpr double kMaxMagnitude = 1e6;

/// Three values, one for each channel; fewer channels than three take one value.
void check_values(const AugmentPlan& plan, const char* name, const double* values, bool normalized) {
    for (int i = 0; i < 3; ++i) {
        ROTE_CHECK_ARG(normalized || (values[i] >= 0 && values[i] <= 1), name, ".value: wanted values in [0, 1], got ",
                       values[i]);
        ROTE_CHECK_ARG(values[i] >= -kMaxMagnitude && values[i] <= kMaxMagnitude, name,
                       ".value: wanted values in [-1e6, 1e6], got ", values[i]);
    }
    ROTE_CHECK_ARG(plan.channels == 3 || (values[0] == values[1] && values[1] == values[2]), name,
                   ".value: wanted one value for images of ", plan.channels, " channels, got (", values[0], ", ",
                   values[1], ", ", values[2], ")");
}

void check_flag(const char* name, const char* constant, double flag) {
    ROTE_CHECK_ARG(flag == 0 || flag == 1, name, ".", constant, ": wanted 0 or 1, got ", flag);
}

void check_side(const char* name, const char* side, double size, int32_t image, bool inside) {
    const int32_t most = inside ? image : kMaxImageExtent;
    ROTE_CHECK_ARG(size >= 1 && size <= most && size == double(int32_t(size)), name, ".", side,
                   ": wanted a whole number in [1, ", most, "] for images of ", image, " pixels, got ", size);
}

}  // namespace

void check_noise_step(const AugmentPlan& plan, AugmentStep& step, bool normalized) {
    const char* const name = augment_kind_name(step.kind);
    double* const c = step.constants;
    switch (step.kind) {
        case AugmentKind::random_erasing:
            check_probability(name, c[0]);
            check_range(name, "scale", c[1], c[2], 0, 1);
            check_range(name, "ratio", c[3], c[4], 1e-6, 1e6);
            check_flag(name, "noise", c[5]);
            check_values(plan, name, c + 6, normalized || c[5] == 1);
            c[9] = log2_exact(c[3]);
            c[10] = log2_exact(c[4]);
            return;
        case AugmentKind::cutout:
            check_flag(name, "inside", c[2]);
            check_side(name, "height", c[0], step.in_height, c[2] == 1);
            check_side(name, "width", c[1], step.in_width, c[2] == 1);
            check_values(plan, name, c + 3, normalized);
            return check_probability(name, c[6]);
        case AugmentKind::gaussian_noise:
            ROTE_CHECK_ARG(c[0] >= -kMaxMagnitude && c[0] <= kMaxMagnitude, name,
                           ".mean: wanted a number in [-1e6, 1e6], got ", c[0]);
            ROTE_CHECK_ARG(c[1] >= 0 && c[1] <= kMaxMagnitude, name, ".sigma: wanted a number in [0, 1e6], got ", c[1]);
            check_flag(name, "clip", c[2]);
            return check_probability(name, c[3]);
        default:
            return;
    }
}

void check_noise_row(const AugmentStep& step, const int32_t* f, int64_t view) {
    const auto within = [](int32_t value, int64_t low, int64_t high) { return value >= low && value <= high; };
    const double* const c = step.constants;
    const int32_t height = step.in_height, width = step.in_width;
    if (f[0] == 0) return;
    switch (step.kind) {
        case AugmentKind::random_erasing:
            check_field(within(f[3], 0, height), step, "height", view, "a box inside the image");
            check_field(within(f[4], 0, width), step, "width", view, "a box inside the image");
            check_field(within(f[1], 0, height - f[3]), step, "top", view, "a box inside the image");
            check_field(within(f[2], 0, width - f[4]), step, "left", view, "a box inside the image");
            return;
        case AugmentKind::cutout: {
            const int32_t box_height = int32_t(c[0]), box_width = int32_t(c[1]);
            const bool inside = c[2] == 1;
            const int32_t above = inside ? 0 : box_height / 2, before = inside ? 0 : box_width / 2;
            check_field(within(f[1], -above, inside ? height - box_height : height - 1 - above), step, "top", view,
                        inside ? "a box inside the image" : "a box whose centre is in the image");
            check_field(within(f[2], -before, inside ? width - box_width : width - 1 - before), step, "left", view,
                        inside ? "a box inside the image" : "a box whose centre is in the image");
            return;
        }
        default:
            return;
    }
}

}  // namespace rote
