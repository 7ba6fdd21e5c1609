// tests/augment_geometry_recipes.h: recipes of the operations that move pixels.
#pragma once

#include <vector>

#include "named_recipe.h"

namespace rote {

/// interpolation: 0 nearest, 1 bilinear, 2 bicubic.
inline AugmentOp filtered_crop_op(int interpolation, bool antialias, double p = 1, int occurrence = 0) {
    return {1, occurrence, {0.08, 1, 3.0 / 4, 4.0 / 3, double(interpolation), double(antialias), p}};
}
inline AugmentOp resize_op(double height = 0, double width = 0, int interpolation = 1, bool antialias = true,
                           int occurrence = 0) {
    return {10, occurrence, {height, width, double(interpolation), double(antialias)}};
}
inline AugmentOp center_crop_op(double height = 0, double width = 0, int occurrence = 0) {
    return {11, occurrence, {height, width}};
}
inline AugmentOp vertical_flip_op(double p = 0.5, int occurrence = 0) {
    return {8, occurrence, {p}};
}
inline AugmentOp alternating_flip_op(int occurrence = 0) {
    return {9, occurrence, {}};
}
inline AugmentOp rotation_op(int interpolation = 1, double fill = 0, double p = 1, double degrees = 40) {
    return {12, 0, {-degrees, degrees, double(interpolation), fill, p}};
}
inline AugmentOp rare_affine_op(double p, double fill) {
    return {4, 0, {-30, 30, 0.1, 0.2, 0.8, 1.2, -10, 10, -5, 5, 1, fill, p}};
}

inline std::vector<NamedRecipe> geometry_recipes() {
    const AugmentOp jitter{5, 0, {0.2, 1.8, 0.2, 1.8, 0.2, 1.8, -0.2, 0.2, 1}};
    const AugmentOp flip{3, 0, {0.5}};
    return {
        {"crop-nearest", {filtered_crop_op(0, true), flip}, true},
        {"crop-plain", {filtered_crop_op(1, false), alternating_flip_op()}, true},
        {"crop-cubic", {filtered_crop_op(2, true), flip}, true},
        {"crop-plain-cubic-jitter", {filtered_crop_op(2, false), flip, jitter}, true},
        {"crop-sometimes", {filtered_crop_op(1, true, 0.5), vertical_flip_op()}, true},
        {"resize", {vertical_flip_op(), resize_op()}, true},
        {"resize-cubic", {flip, resize_op(0, 0, 2), vertical_flip_op()}, true},
        {"resize-nearest", {alternating_flip_op(), resize_op(0, 0, 0), jitter}, true},
        {"resize-plain", {resize_op(0, 0, 1, false), alternating_flip_op(), flip}, true},
        {"resize-then-crop", {resize_op(70), center_crop_op(61, 66), resize_op(0, 0, 2, true, 1), jitter}, true},
        {"center-crop", {center_crop_op(), vertical_flip_op()}, true},
        {"center-crop-twice", {center_crop_op(80, 5), flip, center_crop_op(0, 0, 1), jitter}, true},
        {"cubic-twice", {resize_op(17, 13, 2), resize_op(0, 0, 2, false, 1), jitter}, true},
        {"fill-then-nearest", {{2, 0, {4, 0, 0.5, 1}}, filtered_crop_op(0, false)}},
        {"crop-sometimes-padded", {{2, 0, {3, 2, 0, 0.5}}, alternating_flip_op()}},
        {"rotation-nearest", {rotation_op(0, 0.25)}},
        {"rotation-bilinear", {flip, rotation_op(1, 0.25), jitter}},
        {"rotation-sometimes", {rotation_op(1, 0.75, 0.5, 180), vertical_flip_op()}},
        {"affine-sometimes", {jitter, rare_affine_op(0.5, 0.3)}},
        {"affine-of-filled", {{2, 0, {4, 0, 0.5, 1}}, rare_affine_op(1, 0.3), rotation_op(0, 0.1)}},
    };
}

}  // namespace rote
