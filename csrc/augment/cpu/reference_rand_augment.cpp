// augment/cpu/reference_rand_augment.cpp: the oracle's RandAugment.
#include "augment/meaning/rand_augment.h"

#include "augment/cpu/reference_tone.h"
#include "augment/meaning/color.h"

namespace rote {
namespace {

void map_image(ReferenceImage& image, const AffineMap& map, bool bilinear_mode, float fill) {
    const auto inside = [](int32_t position, int32_t extent) {
        return position >= 0 && position < extent ? 1.0f : 0.0f;
    };
    const ReferenceImage from = image;
    for (int32_t i = 0; i < image.height; ++i)
        for (int32_t j = 0; j < image.width; ++j) {
            const int64_t fixed_x = map.x0 + j * map.x_per_column + i * map.x_per_row;
            const int64_t fixed_y = map.y0 + j * map.y_per_column + i * map.y_per_row;
            for (int32_t c = 0; c < image.channels; ++c) {
                if (!bilinear_mode) {
                    const int32_t x = fixed_nearest(fixed_x), y = fixed_nearest(fixed_y);
                    const bool in = x >= 0 && x < image.width && y >= 0 && y < image.height;
                    image.at(c, i, j) = in ? from.at(c, y, x) : fill;
                    continue;
                }
                const int32_t x = fixed_floor(fixed_x), y = fixed_floor(fixed_y);
                const float fx = fixed_rest(fixed_x), fy = fixed_rest(fixed_y);
                const float sample =
                    bilinear<float>(from.at_or_zero(c, y, x), from.at_or_zero(c, y, x + 1),
                                    from.at_or_zero(c, y + 1, x), from.at_or_zero(c, y + 1, x + 1), fx, fy);
                const float covered = coverage<float>(inside(x, image.width), inside(x + 1, image.width),
                                                      inside(y, image.height), inside(y + 1, image.height), fx, fy);
                image.at(c, i, j) = blend_fill<float>(sample, covered, fill);
            }
        }
}

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
                map_image(image, rand_map(place.operation, place.magnitude, image.height, image.width),
                          step.constants[3] != 0, float(step.constants[4]));
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
