// augment/reference.cpp: the oracle. One view at a time, one operation after another, one pixel at a time.
#include <vector>

#include "augment/executor.h"
#include "augment/geometry.h"
#include "augment/meaning.h"

namespace rote {
namespace {

struct Image {
    int32_t channels, height, width;
    std::vector<float> pixels;  // [channels, height, width]

    Image(int32_t c, int32_t h, int32_t w) : channels(c), height(h), width(w), pixels(size_t(c) * size_t(h) * w) {}
    float& at(int32_t c, int32_t y, int32_t x) { return pixels[(size_t(c) * height + y) * width + x]; }
    float at(int32_t c, int32_t y, int32_t x) const { return pixels[(size_t(c) * height + y) * width + x]; }
    float at_or_zero(int32_t c, int32_t y, int32_t x) const {
        return y >= 0 && y < height && x >= 0 && x < width ? at(c, y, x) : 0.0f;
    }
};

Image load(const ImageView<const uint8_t>& bank, int64_t id) {
    Image image(bank.channels, bank.height, bank.width);
    for (int32_t c = 0; c < bank.channels; ++c)
        for (int32_t y = 0; y < bank.height; ++y)
            for (int32_t x = 0; x < bank.width; ++x)
                image.at(c, y, x) = unit_from_byte<float>(float(*bank.at(id, c, y, x)));
    return image;
}

Image random_resized_crop(const Image& image, const AugmentStep& step, const int32_t* row) {
    const CropWindow window = crop_window(step, row);
    const int32_t taps_x = tap_count(window.width, step.out_width);
    const int32_t taps_y = tap_count(window.height, step.out_height);
    std::vector<float> weights(size_t(taps_x > taps_y ? taps_x : taps_y));
    Image narrow(image.channels, window.height, step.out_width);
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
    Image out(image.channels, step.out_height, step.out_width);
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

Image random_crop(const Image& image, const AugmentStep& step, const int32_t* row) {
    const CropWindow window = padded_window(step, row);
    const int32_t mode = int32_t(step.constants[1]);
    const float fill = float(step.constants[2]);
    Image out(image.channels, step.out_height, step.out_width);
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < step.out_height; ++y)
            for (int32_t x = 0; x < step.out_width; ++x) {
                const int32_t from_y = padded_index(window.top + y, step.in_height, mode);
                const int32_t from_x = padded_index(window.left + x, step.in_width, mode);
                out.at(c, y, x) = from_y < 0 || from_x < 0 ? fill : image.at(c, from_y, from_x);
            }
    return out;
}

Image horizontal_flip(const Image& image) {
    Image out(image.channels, image.height, image.width);
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) out.at(c, y, x) = image.at(c, y, image.width - 1 - x);
    return out;
}

Image random_affine(const Image& image, const AugmentStep& step, const int32_t* row) {
    const AffineMap map = affine_map(step, row);
    const bool bilinear_mode = step.constants[10] != 0;
    const float fill = float(step.constants[11]);
    const auto inside = [](int32_t position, int32_t extent) {
        return position >= 0 && position < extent ? 1.0f : 0.0f;
    };
    Image out(image.channels, image.height, image.width);
    for (int32_t i = 0; i < image.height; ++i)
        for (int32_t j = 0; j < image.width; ++j) {
            const int64_t fixed_x = map.x0 + j * map.x_per_column + i * map.x_per_row;
            const int64_t fixed_y = map.y0 + j * map.y_per_column + i * map.y_per_row;
            for (int32_t c = 0; c < image.channels; ++c) {
                if (bilinear_mode) {
                    const int32_t x = fixed_floor(fixed_x), y = fixed_floor(fixed_y);
                    const float fx = fixed_rest(fixed_x), fy = fixed_rest(fixed_y);
                    const float sample = bilinear<float>(
                        image.at_or_zero(c, y, x), image.at_or_zero(c, y, x + 1), image.at_or_zero(c, y + 1, x),
                        image.at_or_zero(c, y + 1, x + 1), fx, fy);
                    const float covered =
                        coverage<float>(inside(x, image.width), inside(x + 1, image.width), inside(y, image.height),
                                        inside(y + 1, image.height), fx, fy);
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

float grey_at(const Image& image, size_t pixel) {
    const size_t plane = size_t(image.height) * image.width;
    if (image.channels == 1) return image.pixels[pixel];
    return grey_of<float>(image.pixels[pixel], image.pixels[plane + pixel], image.pixels[2 * plane + pixel]);
}

void adjust_contrast(Image& image, float factor) {
    const size_t plane = size_t(image.height) * image.width;
    int64_t sum = 0;
    for (size_t p = 0; p < plane; ++p) sum += int32_t(grey_at(image, p) * kGreyScale);
    const float part = contrast_part(sum, int64_t(plane), factor);
    for (float& x : image.pixels) x = blend<float>(x, factor, part);
}

void color_jitter(Image& image, const AugmentStep& step, const int32_t* row) {
    const JitterParameters jitter = jitter_parameters(step, row);
    if (!jitter.applied) return;
    const size_t plane = size_t(image.height) * image.width;
    float* r = image.pixels.data();
    float* g = r + plane;
    float* b = g + plane;
    for (int32_t which : jitter.order) {
        if (which == 0 && jitter.brightness != 1.0f)
            for (float& x : image.pixels) x = adjust_brightness<float>(x, jitter.brightness);
        if (which == 1 && jitter.contrast != 1.0f) adjust_contrast(image, jitter.contrast);
        if (image.channels != 3) continue;
        if (which == 2 && jitter.saturation != 1.0f)
            for (size_t p = 0; p < plane; ++p) adjust_saturation<float>(r[p], g[p], b[p], jitter.saturation);
        if (which == 3 && jitter.hue != 0.0f)
            for (size_t p = 0; p < plane; ++p) adjust_hue<float>(r[p], g[p], b[p], hue_sextants(jitter.hue));
    }
}

void grayscale(Image& image) {
    if (image.channels != 3) return;
    const size_t plane = size_t(image.height) * image.width;
    for (size_t p = 0; p < plane; ++p) {
        const float grey = grey_at(image, p);
        for (size_t c = 0; c < 3; ++c) image.pixels[c * plane + p] = grey;
    }
}

void normalize_image(Image& image, const AugmentStep& step) {
    const size_t plane = size_t(image.height) * image.width;
    for (size_t c = 0; c < size_t(image.channels); ++c)
        for (size_t p = 0; p < plane; ++p) {
            float& x = image.pixels[c * plane + p];
            x = normalize<float>(x, float(step.constants[c]), float(step.constants[3 + c]));
        }
}

void apply(Image& image, const AugmentStep& step, const int32_t* row) {
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
        case AugmentKind::color_jitter:
            return color_jitter(image, step, row);
        case AugmentKind::grayscale:
            if (row[step.row_offset] != 0) grayscale(image);
            return;
        case AugmentKind::normalize:
            return normalize_image(image, step);
    }
}

void store(const Image& image, const AugmentOutput& output, int64_t view) {
    for (int32_t c = 0; c < image.channels; ++c)
        for (int32_t y = 0; y < image.height; ++y)
            for (int32_t x = 0; x < image.width; ++x) {
                const int64_t place = view * output.strides[0] + c * output.strides[1] + y * output.strides[2] +
                                      x * output.strides[3];
                const float value = image.at(c, y, x);
                if (output.dtype == DType::float32)
                    static_cast<float*>(output.data)[place] = value;
                else if (output.dtype == DType::float16)
                    static_cast<Half*>(output.data)[place] = to_half(value);
                else
                    static_cast<BFloat16*>(output.data)[place] = to_bfloat16(value);
            }
}

}  // namespace

void render_views_scalar(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char*) {
    for (int64_t view = begin; view < end; ++view) {
        const int32_t* row = rows + (view - begin) * job.plan->row_words;
        Image image = load(job.images, job.ids[view]);
        for (int32_t s = 0; s < job.plan->num_steps; ++s) apply(image, job.plan->steps[s], row);
        store(image, job.output, view);
    }
}

}  // namespace rote
