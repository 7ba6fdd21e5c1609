// tests/augment_noise_recipes.h: recipes that erase, add noise and mix images, for banks of at least 40. Included by
// augment_recipes.h.
#pragma once

#include <vector>

#include "named_recipe.h"

namespace rote {

inline AugmentOp erasing_op(double p = 0.7, bool noise = false, double value = 0.25, int occurrence = 0) {
    return {21, occurrence, {p, 0.02, 0.33, 0.3, 3.3, double(noise), value, value, value}};
}
inline AugmentOp cutout_op(double height = 5, double width = 4, bool inside = true, double p = 0.9) {
    return {22, 0, {height, width, double(inside), 0.5, 0.5, 0.5, p}};
}
inline AugmentOp noise_op(double sigma = 0.1, bool clip = true, double p = 0.8, int occurrence = 0) {
    return {23, occurrence, {0.01, sigma, double(clip), p}};
}
inline AugmentOp mixup_op(double alpha = 0.4, double p = 0.8, int occurrence = 0) {
    return {24, occurrence, {alpha, p, 40}};
}
inline AugmentOp cutmix_op(double alpha = 1.0, double p = 0.8, int occurrence = 0) {
    return {25, occurrence, {alpha, p, 40}};
}

inline std::vector<NamedRecipe> noise_recipes() {
    const AugmentOp crop{2, 0, {2, 2, 0, 1}}, flip{3, 0, {0.5}};
    const AugmentOp jitter{5, 0, {0.6, 1.4, 0.6, 1.4, 0.6, 1.4, -0.1, 0.1, 0.8}};
    const AugmentOp resized{1, 0, {0.3, 1.0, 3.0 / 4.0, 4.0 / 3.0, 1, 1, 1}};
    const AugmentOp normalize{7, 0, {0.4914, 0.4822, 0.4465, 0.2470, 0.2435, 0.2616}};
    return {
        {"erasing", {flip, erasing_op()}},
        {"erasing-noise", {crop, normalize, erasing_op(1.0, true), erasing_op(0.5, false, -1.5, 1)}},
        {"cutout-inside", {crop, cutout_op()}},
        {"cutout-clipped", {cutout_op(20, 7, false), flip}},
        {"noise", {flip, noise_op(), normalize}},
        {"noise-unclipped", {noise_op(2.0, false), noise_op(0.5, true, 1.0, 1)}},
        {"mixup", {crop, flip, mixup_op(), normalize}},
        {"cutmix", {resized, flip, jitter, cutmix_op()}, true},
        {"mixup-of-bytes", {mixup_op(1.0, 1.0)}},
        {"mixes",
         {crop, noise_op(0.05), mixup_op(0.2), flip, erasing_op(0.5), cutmix_op(0.5), mixup_op(3.0, 0.5, 1),
          normalize}},
    };
}

}  // namespace rote
