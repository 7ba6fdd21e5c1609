// augment/program/checks_tone.cpp: blur, solarize, posterize, invert, sharpness, auto-contrast, equalize, RandAugment.
#include <cmath>

#include "augment/meaning/rand_augment.h"
#include "augment/meaning/row.h"
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {
namespace {

constexpr double kMaxFactor = 1e6;

void check_whole(const char* name, const char* field, double value, double least, double most) {
    ROTE_CHECK_ARG(value >= least && value <= most && value == std::floor(value), name, ".", field,
                   ": wanted a whole number in [", least, ", ", most, "], got ", value);
}

void check_kernel(const char* name, double kernel, int32_t side) {
    ROTE_CHECK_ARG(kernel >= 1 && kernel < 2 * kMaxImageExtent && std::fmod(kernel, 2.0) == 1.0, name,
                   ".kernel_size: wanted odd whole pixels, got ", kernel);
    ROTE_CHECK_ARG((kernel - 1) / 2 < side, name, ".kernel_size: wanted at most ", 2 * side - 1,
                   ", to be reflected at the border of an image of ", side, " pixels, got ", kernel);
}

void check_rand_augment(const char* name, const AugmentStep& step) {
    const double* const c = step.constants;
    check_whole(name, "num_ops", c[0], 1, kMaxRandPlaces);
    check_whole(name, "num_magnitude_bins", c[2], 2, 1e6);
    check_whole(name, "magnitude", c[1], 0, c[2] - 1);
    ROTE_CHECK_ARG(c[3] == 0 || c[3] == 1, name, ".interpolation: wanted 0 (nearest) or 1 (bilinear), got ", c[3]);
    check_fill(name, c[4], false);
    check_probability(name, c[5]);
}

/// What a magnitude of a row may be, or null if it may be that.
const char* wanted_magnitude(RandOperation operation, float m) {
    if (!std::isfinite(m)) return "a finite number";
    switch (operation) {
        case RandOperation::shear_x:
        case RandOperation::shear_y:
            return std::fabs(m) <= 100.0f ? nullptr : "a slope in [-100, 100]";
        case RandOperation::translate_x:
        case RandOperation::translate_y:
            return std::fabs(m) <= float(kMaxImageExtent) && m == std::floor(m)
                       ? nullptr
                       : "whole pixels, at most 16384 to either side";
        case RandOperation::brightness:
        case RandOperation::color:
        case RandOperation::contrast:
        case RandOperation::sharpness:
            return m >= -1.0f && m <= float(kMaxFactor) ? nullptr : "a change of a factor in [-1, 1e6]";
        case RandOperation::posterize:
            return m >= 0.0f && m <= 8.0f && m == std::floor(m) ? nullptr : "0 to 8 bits";
        case RandOperation::solarize:
            return m >= 0.0f && m <= 1.0f ? nullptr : "a threshold in [0, 1]";
        default:
            return nullptr;
    }
}

}  // namespace

void check_tone_step(const AugmentPlan& plan, AugmentStep& step, bool normalized) {
    const char* const name = augment_kind_name(step.kind);
    const double* const c = step.constants;
    if (step.kind == AugmentKind::gaussian_blur) {  // linear: any channels, normalized or not
        check_kernel(name, c[0], step.in_width);
        check_kernel(name, c[1], step.in_height);
        check_range(name, "sigma", c[2], c[3], 1e-6, 1e6);
        return check_probability(name, c[4]);
    }
    check_colour(plan, name, normalized);
    switch (step.kind) {
        case AugmentKind::solarize:
            check_range(name, "threshold", c[0], c[0], 0, 1);
            return check_probability(name, c[1]);
        case AugmentKind::posterize:
            check_whole(name, "bits", c[0], 0, 8);
            return check_probability(name, c[1]);
        case AugmentKind::sharpness:
            check_range(name, "factor", c[0], c[1], 0, kMaxFactor);
            return check_probability(name, c[2]);
        case AugmentKind::rand_augment:
            return check_rand_augment(name, step);
        default:
            return check_probability(name, c[0]);
    }
}

void check_tone_row(const AugmentStep& step, const int32_t* f, int64_t view) {
    switch (step.kind) {
        case AugmentKind::gaussian_blur: {
            const float sigma = word_float(f[1]);
            return check_field(sigma > 0 && std::isfinite(sigma), step, "sigma", view, "a positive finite number");
        }
        case AugmentKind::sharpness: {
            const float factor = word_float(f[1]);
            return check_field(factor >= 0 && factor <= 1e6f, step, "factor", view, "a factor in [0, 1e6]");
        }
        case AugmentKind::rand_augment:
            for (int32_t k = 0; k < rand_places(step); ++k) {
                check_field(f[k] >= 0 && f[k] < kRandOperations, step, "operation", view, "an operation in [0, 13]");
                const char* const wanted = wanted_magnitude(RandOperation(f[k]), word_float(f[rand_places(step) + k]));
                check_field(wanted == nullptr, step, "magnitude", view, wanted);
            }
            return;
        default:
            return;
    }
}

}  // namespace rote
