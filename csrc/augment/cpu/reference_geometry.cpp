// augment/cpu/reference_geometry.cpp: the oracle's crops, resizes, flips and affine maps.
#include "augment/cpu/reference_image.h"
#include "augment/meaning/affine.h"
#include "augment/meaning/color.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"

namespace rote {
namespace {

ReferenceImage random_resized_crop(const ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    const CropWindow window = crop_window(step, row);
    const int32_t taps_x = tap_count(window.width, step.out_width);
    const int32_t taps_y = tap_count(window.height, step.out_height);
    std::vector<float> weights(size_t(taps_x > taps_y ? taps_x : taps_y));
    ReferenceImage narrow(image.channels, window.height, step.out_width);
    for (int32_t x = 0; x < step.out_width; ++x) {
        const int32_t first = resize_taps(window.width, step.out_width, x, taps_x, weights.data(), 1);
        for (int32_t c = 0; c < image.channels; ++c)
            for (int32_t y = 0; y < window.height; ++y) {
                float sum = 0.0f;
                for (int32_t t = 0; t < taps_x; ++t) {
                    const int32_t from = first + t < window.width ? first + t : window.width - 1;
                    const float part = image.at(c, window.top + y, window.left + from) * weights[size_t(t)];
                    sum = t == 0 ? part : sum + part;
                }
                narrow.at(c, y, x) = sum;
            }
    }
    ReferenceImage out(image.channels, step.out_height, step.out_width);
    for (int32_t y = 0; y < step.out_height; ++y) {
        const int32_t first = resize_taps(window.height, step.out_height, y, taps_y, weights.data(), 1);
        for (int32_t c = 0; c < image.channels; ++c)
            for (int32_t x = 0; x < step.out_width; ++x) {
                float sum = 0.0f;
                for (int32_t t = 0; t < taps_y; ++t) {
                    const int32_t from = first + t < window.height ? first + t : window.height - 1;
                    const float part = narrow.at(c, from, x) * weights[size_t(t)];
                    sum = t == 0 ? part : sum + part;
                }
                out.at(c, y, x) = sum;
            }
    }
    return out;
}

ReferenceImage random_crop(const ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    const CropWindow window = padded_window(step, row);
    const int32_t mode = int32_t(step.constants[1]);
    const float fill = float(step.constants[2]);
    ReferenceImage out(image.channels, step.out_height, step.out_width);
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < step.out_height; ++y)
            for (int32_t x = 0; x < step.out_width; ++x) {
                const int32_t from_y = padded_index(window.top + y, step.in_height, mode);
                const int32_t from_x = padded_index(window.left + x, step.in_width, mode);
                out.at(c, y, x) = from_y < 0 || from_x < 0 ? fill : image.at(c, from_y, from_x);
            }
    return out;
}

ReferenceImage horizontal_flip(const ReferenceImage& image) {
    ReferenceImage out(image.channels, image.height, image.width);
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) out.at(c, y, x) = image.at(c, y, image.width - 1 - x);
    return out;
}

ReferenceImage random_affine(const ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    const AffineMap map = affine_map(step, row);
    const bool bilinear_mode = step.constants[10] != 0;
    const float fill = float(step.constants[11]);
    const auto inside = [](int32_t position, int32_t extent) {
        return position >= 0 && position < extent ? 1.0f : 0.0f;
    };
    ReferenceImage out(image.channels, image.height, image.width);
    for (int32_t i = 0; i < image.height; ++i)
        for (int32_t j = 0; j < image.width; ++j) {
            const int64_t fixed_x = map.x0 + j * map.x_per_column + i * map.x_per_row;
            const int64_t fixed_y = map.y0 + j * map.y_per_column + i * map.y_per_row;
            for (int32_t c = 0; c < image.channels; ++c) {
                if (bilinear_mode) {
                    const int32_t x = fixed_floor(fixed_x), y = fixed_floor(fixed_y);
                    const float fx = fixed_rest(fixed_x), fy = fixed_rest(fixed_y);
                    const float sample =
                        bilinear<float>(image.at_or_zero(c, y, x), image.at_or_zero(c, y, x + 1),
                                        image.at_or_zero(c, y + 1, x), image.at_or_zero(c, y + 1, x + 1), fx, fy);
                    const float covered = coverage<float>(inside(x, image.width), inside(x + 1, image.width),
                                                          inside(y, image.height), inside(y + 1, image.height), fx, fy);
                    out.at(c, i, j) = blend_fill<float>(sample, covered, fill);
                } else {
                    const int32_t x = fixed_nearest(fixed_x), y = fixed_nearest(fixed_y);
                    const bool in = x >= 0 && x < image.width && y >= 0 && y < image.height;
                    out.at(c, i, j) = in ? image.at(c, y, x) : fill;
                }
            }
        }
    return out;
}

}  // namespace

void apply_geometry(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
            image = random_resized_crop(image, step, row);
            return;
        case AugmentKind::random_crop:
            image = random_crop(image, step, row);
            return;
        case AugmentKind::horizontal_flip:
            if (row[step.row_offset] != 0) image = horizontal_flip(image);
            return;
        case AugmentKind::random_affine:
            image = random_affine(image, step, row);
            return;
        default:
            return;
    }
}

}  // namespace rote
