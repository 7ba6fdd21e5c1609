// tests/augment_recipes.h: recipes and banks the augmentation tests share.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "augment_geometry_recipes.h"
#include "augment_noise_recipes.h"
#include "augment_tone_recipes.h"
#include "rote/address.h"
#include "rote/augment.h"

namespace rote {

inline AugmentOp resized_crop_op(int occurrence = 0, double scale_lo = 0.08, double scale_hi = 1.0) {
    return {1, occurrence, {scale_lo, scale_hi, 3.0 / 4.0, 4.0 / 3.0, 1, 1, 1}};
}
inline AugmentOp crop_op(double padding = 4, int mode = 0, double fill = 0, int occurrence = 0) {
    return {2, occurrence, {padding, double(mode), fill, 1}};
}
inline AugmentOp flip_op(double p = 0.5, int occurrence = 0) {
    return {3, occurrence, {p}};
}
inline AugmentOp affine_op(int interpolation = 1, double fill = 0) {
    return {4, 0, {-30, 30, 0.1, 0.2, 0.8, 1.2, -10, 10, -5, 5, double(interpolation), fill, 1}};
}
inline AugmentOp jitter_op(double p = 0.8) {
    return {5, 0, {0.2, 1.8, 0.2, 1.8, 0.2, 1.8, -0.2, 0.2, p}};
}
inline AugmentOp grayscale_op(double p = 0.2) {
    return {6, 0, {p}};
}
inline AugmentOp normalize_op() {
    return {7, 0, {0.4914, 0.4822, 0.4465, 0.2470, 0.2435, 0.2616}};
}

inline std::vector<NamedRecipe> test_recipes() {
    std::vector<NamedRecipe> all = {
        {"none", {}},
        {"flip-crop-normalize", {crop_op(), flip_op(), normalize_op()}},
        {"flip-crop-reflect", {flip_op(), crop_op(4, 2)}},
        {"resized-crop", {resized_crop_op(), flip_op()}, true},
        {"simclr", {resized_crop_op(), flip_op(), jitter_op(), grayscale_op(), normalize_op()}, true},
        {"affine-nearest", {affine_op(0, 0.25)}},
        {"affine-bilinear", {affine_op(1, 0.25), jitter_op(1.0)}},
        {"two-fills", {crop_op(4, 0, 0.5), crop_op(4, 0, 0.25, 1), flip_op()}},
        {"fill-then-resize", {crop_op(4, 0, 0.5), resized_crop_op()}},
        {"everything",
         {flip_op(), crop_op(3, 3), flip_op(0.5, 1), resized_crop_op(), affine_op(1, 0.1), crop_op(2, 1, 0, 1),
          jitter_op(), grayscale_op(), flip_op(0.5, 2), resized_crop_op(1, 0.3, 0.9), normalize_op(),
          crop_op(1, 0, -2, 2)}},
        {"blur", {blur_op()}},
        {"blur-uneven", {flip_op(), blur_op(5, 9, 0.7), blur_op(1, 3, 1, 1), blur_op(13, 1, 1, 2)}},
        {"sharpness", {sharpness_op()}},
        {"tone", {solarize_op(), invert_op(), posterize_op(), auto_contrast_op(0.5)}},
        {"auto-contrast", {auto_contrast_op()}},
        {"equalize", {equalize_op()}},
        {"rand-augment", {rand_augment_op()}},
        {"rand-augment-bilinear", {rand_augment_op(4, 28, 1, 0.5), flip_op(), rand_augment_op(8, 9, 0, 0.2, 1)}},
        {"simclr-blur",
         {resized_crop_op(), flip_op(), jitter_op(), grayscale_op(), blur_op(3, 3, 0.5), normalize_op()}},
        {"tone-of-crops",
         {resized_crop_op(), sharpness_op(), equalize_op(0.5), jitter_op(), blur_op(7, 5), solarize_op(),
          auto_contrast_op(0.5), normalize_op(), blur_op(3, 3, 1, 1)}},
    };
    for (NamedRecipe& recipe : geometry_recipes()) all.push_back(std::move(recipe));
    for (NamedRecipe& recipe : noise_recipes()) all.push_back(std::move(recipe));
    return all;
}

/// Seeded noise, with a few flat, grey and saturated images in front: the corners of the colour formulas.
inline std::vector<uint8_t> test_bank(int64_t count, int channels, int height, int width) {
    const int64_t plane = int64_t(height) * width, size = channels * plane;
    std::vector<uint8_t> bank(size_t(count * size));
    for (int64_t i = 0; i < count; ++i)
        for (int64_t p = 0; p < size; ++p) {
            const uint32_t word = address_block(99, uint64_t(i), 0, 0xfff0, uint32_t(p / 4)).word[p % 4];
            uint8_t value = uint8_t(word >> 24);
            if (i == 0) value = 0;
            if (i == 1) value = 255;
            if (i == 2) value = uint8_t(7 * (p % plane));    // grey
            if (i == 3) value = p / plane == 0 ? 255 : 0;    // pure red
            if (i == 4) value = (word >> 20) & 1 ? 255 : 0;  // only corners of the colour cube
            bank[size_t(i * size + p)] = value;
        }
    return bank;
}

}  // namespace rote
