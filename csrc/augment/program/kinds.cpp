// augment/program/kinds.cpp: see the header.
#include "augment/program/kinds.h"

namespace rote {
namespace {

constexpr KindInfo kKinds[] = {
    {AugmentKind::random_resized_crop, "random_resized_crop", 7, 4},
    {AugmentKind::random_crop, "random_crop", 4, 2},
    {AugmentKind::horizontal_flip, "horizontal_flip", 1, 1},
    {AugmentKind::random_affine, "random_affine", 13, 6},
    {AugmentKind::color_jitter, "color_jitter", 9, 9},
    {AugmentKind::grayscale, "grayscale", 1, 1},
    {AugmentKind::normalize, "normalize", 6, 0},
    {AugmentKind::vertical_flip, "vertical_flip", 1, 1},
    {AugmentKind::alternating_flip, "alternating_flip", 0, 1},
    {AugmentKind::resize, "resize", 4, 0},
    {AugmentKind::center_crop, "center_crop", 2, 0},
    {AugmentKind::random_rotation, "random_rotation", 5, 1},
    {AugmentKind::gaussian_blur, "gaussian_blur", 5, 2},
    {AugmentKind::solarize, "solarize", 2, 1},
    {AugmentKind::posterize, "posterize", 2, 1},
    {AugmentKind::invert, "invert", 1, 1},
    {AugmentKind::sharpness, "sharpness", 3, 2},
    {AugmentKind::auto_contrast, "auto_contrast", 1, 1},
    {AugmentKind::equalize, "equalize", 1, 1},
    {AugmentKind::rand_augment, "rand_augment", 6, -1},
    {AugmentKind::random_erasing, "random_erasing", 9, 7},
    {AugmentKind::cutout, "cutout", 7, 3},
    {AugmentKind::gaussian_noise, "gaussian_noise", 4, 3},
    {AugmentKind::mixup, "mixup", 3, 2},
    {AugmentKind::cutmix, "cutmix", 3, 5},
};

}  // namespace

const KindInfo* find_kind(int32_t code) {
    for (const KindInfo& info : kKinds)
        if (int32_t(info.kind) == code) return &info;
    return nullptr;
}

AugmentGroup group_of(AugmentKind kind) {
    switch (kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::random_crop:
        case AugmentKind::horizontal_flip:
        case AugmentKind::vertical_flip:
        case AugmentKind::alternating_flip:
        case AugmentKind::random_affine:
        case AugmentKind::random_rotation:
        case AugmentKind::resize:
        case AugmentKind::center_crop:
            return AugmentGroup::geometry;
        case AugmentKind::color_jitter:
        case AugmentKind::grayscale:
        case AugmentKind::normalize:
            return AugmentGroup::color;
        case AugmentKind::gaussian_blur:
        case AugmentKind::solarize:
        case AugmentKind::posterize:
        case AugmentKind::invert:
        case AugmentKind::sharpness:
        case AugmentKind::auto_contrast:
        case AugmentKind::equalize:
        case AugmentKind::rand_augment:
            return AugmentGroup::tone;
        case AugmentKind::random_erasing:
        case AugmentKind::cutout:
        case AugmentKind::gaussian_noise:
            return AugmentGroup::noise;
        case AugmentKind::mixup:
        case AugmentKind::cutmix:
            return AugmentGroup::mix;
    }
    return AugmentGroup::geometry;
}

bool leaves_unit_range(const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::normalize:
            return true;
        case AugmentKind::gaussian_noise:
            return step.constants[2] == 0;  // clip
        case AugmentKind::random_erasing:
            return step.constants[5] != 0;  // noise
        default:
            return false;
    }
}

int32_t row_words_of(const AugmentStep& step) {
    if (step.kind == AugmentKind::rand_augment) return 2 * int32_t(step.constants[0]);
    return find_kind(int32_t(step.kind))->row_words;
}

const char* augment_kind_name(AugmentKind kind) {
    const KindInfo* const info = find_kind(int32_t(kind));
    return info ? info->name : "unknown";
}

}  // namespace rote
