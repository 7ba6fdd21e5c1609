// augment/cpu/reference_geometry.cpp: the oracle's crops, resizes, flips and affine maps.
#include "augment/cpu/reference_image.h"
#include "augment/meaning/color.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"

namespace rote {
namespace {

ReferenceImage resize_nearest(const ReferenceImage& image, const CropWindow& window, int32_t height, int32_t width) {
    ReferenceImage out(image.channels, height, width);
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < height; ++y)
            for (int32_t x = 0; x < width; ++x)
                out.at(c, y, x) = image.at(c, window.top + nearest_source(window.height, height, y),
                                           window.left + nearest_source(window.width, width, x));
    return out;
}

/// A window resized, columns first.
ReferenceImage resize(const ReferenceImage& image, const AugmentStep& step, const CropWindow& window) {
    const ResizeFilter filter = resize_filter(step);
    if (filter.interpolation == Interpolation::nearest)
        return resize_nearest(image, window, step.out_height, step.out_width);
    const int32_t taps_x = tap_count(filter, window.width, step.out_width);
    const int32_t taps_y = tap_count(filter, window.height, step.out_height);
    std::vector<float> weights(size_t(taps_x > taps_y ? taps_x : taps_y));
    ReferenceImage narrow(image.channels, window.height, step.out_width);
    for (int32_t x = 0; x < step.out_width; ++x) {
        const int32_t first = resize_taps(filter, window.width, step.out_width, x, taps_x, weights.data(), 1);
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
        const int32_t first = resize_taps(filter, window.height, step.out_height, y, taps_y, weights.data(), 1);
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

ReferenceImage padded_crop(const ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    const CropWindow window = padded_window(step, row);
    const Padding padding = padding_of(step);
    ReferenceImage out(image.channels, step.out_height, step.out_width);
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < step.out_height; ++y)
            for (int32_t x = 0; x < step.out_width; ++x) {
                const int32_t from_y = padded_index(window.top + y, step.in_height, padding.mode);
                const int32_t from_x = padded_index(window.left + x, step.in_width, padding.mode);
                out.at(c, y, x) = from_y < 0 || from_x < 0 ? padding.fill : image.at(c, from_y, from_x);
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

ReferenceImage vertical_flip(const ReferenceImage& image) {
    ReferenceImage out(image.channels, image.height, image.width);
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) out.at(c, y, x) = image.at(c, image.height - 1 - y, x);
    return out;
}

float affine_bilinear(const ReferenceImage& image, int32_t c, int64_t fixed_x, int64_t fixed_y, float fill) {
    const auto inside = [](int32_t position, int32_t extent) {
        return position >= 0 && position < extent ? 1.0f : 0.0f;
    };
    const int32_t x = fixed_floor(fixed_x), y = fixed_floor(fixed_y);
    const float fx = fixed_rest(fixed_x), fy = fixed_rest(fixed_y);
    const float sample = bilinear<float>(image.at_or_zero(c, y, x), image.at_or_zero(c, y, x + 1),
                                         image.at_or_zero(c, y + 1, x), image.at_or_zero(c, y + 1, x + 1), fx, fy);
    const float covered = coverage<float>(inside(x, image.width), inside(x + 1, image.width), inside(y, image.height),
                                          inside(y + 1, image.height), fx, fy);
    return blend_fill<float>(sample, covered, fill);
}

float affine_nearest(const ReferenceImage& image, int32_t c, int64_t fixed_x, int64_t fixed_y, float fill) {
    const int32_t x = fixed_nearest(fixed_x), y = fixed_nearest(fixed_y);
    return x >= 0 && x < image.width && y >= 0 && y < image.height ? image.at(c, y, x) : fill;
}

}  // namespace

void apply_affine(ReferenceImage& image, const AffineMap& map, const AffineSampling& sampling) {
    if (is_identity(map)) return;
    const auto sample = sampling.bilinear ? affine_bilinear : affine_nearest;
    ReferenceImage out(image.channels, image.height, image.width);
    for (int32_t i = 0; i < image.height; ++i)
        for (int32_t j = 0; j < image.width; ++j) {
            const int64_t fixed_x = map.x0 + j * map.x_per_column + i * map.x_per_row;
            const int64_t fixed_y = map.y0 + j * map.y_per_column + i * map.y_per_row;
            for (int32_t c = 0; c < image.channels; ++c)
                out.at(c, i, j) = sample(image, c, fixed_x, fixed_y, sampling.fill);
        }
    image = out;
}

void apply_geometry(ReferenceImage& image, const AugmentStep& step, const int32_t* row) {
    switch (step.kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::resize:
            image = resize(image, step, crop_window(step, row));
            return;
        case AugmentKind::random_crop:
        case AugmentKind::center_crop:
            image = padded_crop(image, step, row);
            return;
        case AugmentKind::horizontal_flip:
        case AugmentKind::alternating_flip:
            if (row[step.row_offset] != 0) image = horizontal_flip(image);
            return;
        case AugmentKind::vertical_flip:
            if (row[step.row_offset] != 0) image = vertical_flip(image);
            return;
        case AugmentKind::random_affine:
        case AugmentKind::random_rotation:
            return apply_affine(image, affine_map(step, row), affine_sampling(step));
        default:
            return;
    }
}

}  // namespace rote
