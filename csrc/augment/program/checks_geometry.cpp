// augment/program/checks_geometry.cpp: crops, resizes, flips, affine maps.
#include <cmath>

#include "augment/meaning/math.h"
#include "augment/meaning/row.h"
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {
namespace {

constexpr double kAny = 1e30;

void check_filter(const char* name, double interpolation, double antialias) {
    ROTE_CHECK_ARG(interpolation == 0 || interpolation == 1 || interpolation == 2, name,
                   ".interpolation: wanted 0 (nearest), 1 (bilinear) or 2 (bicubic), got ", interpolation);
    ROTE_CHECK_ARG(antialias == 0 || antialias == 1, name, ".antialias: wanted 0 or 1, got ", antialias);
}

void check_sampling(const char* name, double interpolation, double fill, bool normalized) {
    ROTE_CHECK_ARG(interpolation == 0 || interpolation == 1, name,
                   ".interpolation: wanted 0 (nearest) or 1 (bilinear), got ", interpolation);
    check_fill(name, fill, normalized);
}

void check_random_resized_crop(const char* name, AugmentStep& step) {
    double* const c = step.constants;
    check_range(name, "scale", c[0], c[1], 1e-9, kAny);
    check_range(name, "ratio", c[2], c[3], 1e-6, 1e6);
    check_filter(name, c[4], c[5]);
    check_probability(name, c[6]);
    c[7] = log2_exact(c[2]);
    c[8] = log2_exact(c[3]);
}

void check_random_crop(const char* name, const AugmentStep& step, bool normalized) {
    const double padding = step.constants[0], mode = step.constants[1];
    ROTE_CHECK_ARG(padding >= 0 && padding <= kMaxImageExtent && padding == std::floor(padding), name,
                   ".padding: wanted whole pixels in [0, ", kMaxImageExtent, "], got ", padding);
    ROTE_CHECK_ARG(mode == 0 || mode == 1 || mode == 2 || mode == 3, name,
                   ".padding_mode: wanted 0 (constant), 1 (edge), 2 (reflect) or 3 (symmetric), got ", mode);
    check_fill(name, step.constants[2], normalized);
    check_probability(name, step.constants[3]);
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
    check_sampling(name, c[10], c[11], normalized);
    check_probability(name, c[12]);
}

void check_random_rotation(const char* name, const AugmentStep& step, bool normalized) {
    const double* c = step.constants;
    check_range(name, "degrees", c[0], c[1], -1e6, 1e6);
    check_sampling(name, c[2], c[3], normalized);
    check_probability(name, c[4]);
}

void check_window(const AugmentStep& step, const int32_t* f, int64_t view) {
    check_field(f[2] >= 1 && f[2] <= step.in_height, step, "height", view, "a height within the image");
    check_field(f[3] >= 1 && f[3] <= step.in_width, step, "width", view, "a width within the image");
    check_field(f[0] >= 0 && f[0] <= step.in_height - f[2], step, "top", view, "a window within the image");
    check_field(f[1] >= 0 && f[1] <= step.in_width - f[3], step, "left", view, "a window within the image");
}

}  // namespace

void check_geometry_step(AugmentStep& step, bool normalized) {
    const char* const name = augment_kind_name(step.kind);
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            return check_random_resized_crop(name, step);
        case AugmentKind::random_crop:
            return check_random_crop(name, step, normalized);
        case AugmentKind::random_affine:
            return check_random_affine(name, step, normalized);
        case AugmentKind::random_rotation:
            return check_random_rotation(name, step, normalized);
        case AugmentKind::horizontal_flip:
        case AugmentKind::vertical_flip:
            return check_probability(name, step.constants[0]);
        case AugmentKind::resize:
            return check_filter(name, step.constants[2], step.constants[3]);
        default:  // an alternating flip has no constants, and a central crop's are its size
            return;
    }
}

void check_geometry_row(const AugmentStep& step, const int32_t* f, int64_t view) {
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
        case AugmentKind::random_rotation:
            return check_field(std::isfinite(value(0)), step, "angle", view, "a finite number of degrees");
        default:
            return;
    }
}

}  // namespace rote
