// tests/augment_tone_recipes.h: blur, tone operations and RandAugment for the recipes of the augmentation tests.
#pragma once

#include "rote/augment.h"

namespace rote {

inline AugmentOp blur_op(double kernel_x = 3, double kernel_y = 3, double p = 1, int occurrence = 0) {
    return {13, occurrence, {kernel_x, kernel_y, 0.1, 2.0, p}};
}
inline AugmentOp solarize_op(double threshold = 0.5, double p = 0.5) {
    return {14, 0, {threshold, p}};
}
inline AugmentOp posterize_op(double bits = 3, double p = 0.5) {
    return {15, 0, {bits, p}};
}
inline AugmentOp invert_op(double p = 0.5) {
    return {16, 0, {p}};
}
inline AugmentOp sharpness_op(double low = 0, double high = 3, double p = 1) {
    return {17, 0, {low, high, p}};
}
inline AugmentOp auto_contrast_op(double p = 1) {
    return {18, 0, {p}};
}
inline AugmentOp equalize_op(double p = 1) {
    return {19, 0, {p}};
}
inline AugmentOp rand_augment_op(int places = 2, double magnitude = 14, int interpolation = 0, double fill = 0,
                                 int occurrence = 0) {
    return {20, occurrence, {double(places), magnitude, 31, double(interpolation), fill, 1}};
}

}  // namespace rote
