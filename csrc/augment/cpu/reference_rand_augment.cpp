// augment/cpu/reference_rand_augment.cpp: the oracle's RandAugment.
#include "augment/meaning/rand_augment.h"

#include "augment/cpu/reference_tone.h"
#include "augment/meaning/color.h"

namespace rote {
namespace {

void adjust_color(ReferenceImage& image, float factor) {
    if (image.channels != 3) return;
    const size_t plane = size_t(image.height) * image.width;
    float* const r = image.pixels.data();
    for (size_t p = 0; p < plane; ++p) adjust_saturation<float>(r[p], r[plane + p], r[2 * plane + p], factor);
}

void adjust_contrast(ReferenceImage& image, float factor) {
    const size_t plane = size_t(image.height) * image.width;
    const float* const r = image.pixels.data();
    int64_t sum = 0;
    for (size_t p = 0; p < plane; ++p) {
        const float grey = image.channels == 1 ? r[p] : grey_of<float>(r[p], r[plane + p], r[2 * plane + p]);
        sum += int32_t(bounded_grey<float>(grey) * kGreyScale);
    }
    const float part = contrast_part(sum, int64_t(plane), factor);
    for (float& x : image.pixels) x = blend<float>(x, factor, part);
}

}  // namespace

void rand_augment(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    for (int32_t k = 0; k < rand_places(step); ++k) {
        const RandPlace place = rand_place(step, row, k);
        const float factor = rand_factor(place.magnitude);
        switch (place.operation) {
            case RandOperation::identity:
                break;
            case RandOperation::shear_x:
            case RandOperation::shear_y:
            case RandOperation::translate_x:
            case RandOperation::translate_y:
            case RandOperation::rotate:
                apply_affine(image, rand_map(place.operation, place.magnitude, image.height, image.width),
                             rand_sampling(step));
                break;
            case RandOperation::brightness:
                for (float& x : image.pixels) x = adjust_brightness<float>(x, factor);
                break;
            case RandOperation::color:
                adjust_color(image, factor);
                break;
            case RandOperation::contrast:
                adjust_contrast(image, factor);
                break;
            case RandOperation::sharpness:
                sharpen_image(image, factor);
                break;
            case RandOperation::posterize:
                posterize_image(image, place.magnitude);
                break;
            case RandOperation::solarize:
                solarize_image(image, place.magnitude);
                break;
            case RandOperation::auto_contrast:
                auto_contrast_image(image);
                break;
            case RandOperation::equalize:
                equalize_image(image);
                break;
        }
    }
}

}  // namespace rote
