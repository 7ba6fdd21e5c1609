// tests/test_augment_executors.cpp: every executor gives the scalar oracle's bits, in every dtype and layout, whatever
// the batch order, the threads or the caller's floating-point mode.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "augment_batch.h"
#include "augment_recipes.h"
#include "check.h"
#include "rote/error.h"
#include "runtime/simd.h"

#if defined(ROTE_X86)
#include <xmmintrin.h>
#endif

using namespace rote;

namespace {

int64_t element_bytes(DType dtype) {
    return dtype == DType::float32 ? 4 : 2;
}

/// Renders into memory of layout 0 NCHW, 1 channels-last, 2 with gaps, and returns all of it, gaps included.
std::vector<uint8_t> render(const AugmentProgram& program, const ImageView<const uint8_t>& images,
                            const AugmentBatch& batch, DType dtype, int layout, const std::string& level,
                            int threads = 1) {
    const AugmentPlan& plan = program.plan();
    const int64_t c = plan.channels, h = plan.out_height, w = plan.out_width;
    AugmentOutput output;
    output.dtype = dtype;
    const int64_t strides[3][4] = {
        {c * h * w, h * w, w, 1}, {c * h * w, 1, w * c, c}, {(c * h + 3) * (w + 5), h * (w + 5), w + 5, 1}};
    std::copy(strides[layout], strides[layout] + 4, output.strides);
    std::vector<uint8_t> memory(size_t(batch.count * output.strides[0] * element_bytes(dtype)), 0xab);
    output.data = memory.data();
    augment_render(program, images, batch, output, threads, level);
    return memory;
}

constexpr int64_t kImages = 40;

bool fits(const NamedRecipe& recipe, const Shape& shape) {
    for (const AugmentOp& op : recipe.ops)
        if (shape.channels != 1 && shape.channels != 3 && ((op.kind >= 5 && op.kind <= 7) || op.kind >= 13))
            return false;
    if (shape.height == shape.out_height && shape.width == shape.out_width) return true;
    return recipe.resizes;
}

// ThreadSanitizer looks for races, at twenty times the cost: one dtype, layout and a few shapes and views have all of
// them.
#if defined(__SANITIZE_THREAD__)
constexpr bool kRacesOnly = true;
#else
constexpr bool kRacesOnly = false;
#endif

void test_levels_agree() {
    const Shape shapes[] = {{3, 32, 32, 32, 32}, {1, 32, 32, 32, 32}, {2, 9, 9, 9, 9},     {3, 28, 31, 28, 31},
                            {3, 64, 64, 32, 32}, {3, 33, 40, 50, 21}, {3, 96, 96, 12, 12}, {3, 16, 16, 16, 16},
                            {3, 1, 1, 5, 3},     {1, 7, 13, 1, 1},    {5, 12, 20, 12, 20}};
    for (const Shape& shape : shapes) {
        const std::vector<uint8_t> bank = test_bank(kImages, shape.channels, shape.height, shape.width);
        const ImageView<const uint8_t> images = planar(bank, shape, kImages);
        if (kRacesOnly && shape.height != 9 && shape.height != 33) continue;
        for (const NamedRecipe& recipe : test_recipes()) {
            if (!fits(recipe, shape)) continue;
            const AugmentProgram program(recipe.ops, shape.channels, shape.height, shape.width, shape.out_height,
                                         shape.out_width);
            for (DType dtype : {DType::float32, DType::float16, DType::bfloat16})
                for (int layout = 0; layout < 3; ++layout) {
                    if (kRacesOnly && (layout != 1 || dtype != DType::float32)) continue;
                    const Batch batch(96, kImages, uint64_t(layout) + 10 * uint64_t(dtype));
                    const auto oracle = render(program, images, batch.plain, dtype, layout, "scalar");
                    for (const std::string& level : vector_levels())
                        CHECK(render(program, images, batch.plain, dtype, layout, level) == oracle,
                              "%s, %s, dtype %d, layout %d, %d x %d x %d", recipe.name.c_str(), level.c_str(),
                              int(dtype), layout, shape.channels, shape.height, shape.width);
                }
        }
    }
}

/// Images wider than a block of pixels, a few views each.
void test_large_images() {
    const Shape shapes[] = {
        {3, 131, 70, 131, 70}, {1, 40, 224, 40, 224}, {3, 256, 250, 224, 224}, {3, 65, 64, 200, 130}};
    for (const Shape& shape : shapes) {
        if (kRacesOnly && shape.height != 65) continue;
        const std::vector<uint8_t> bank = test_bank(6, shape.channels, shape.height, shape.width);
        for (const NamedRecipe& recipe : geometry_recipes()) {
            if (!fits(recipe, shape)) continue;
            const AugmentProgram program(recipe.ops, shape.channels, shape.height, shape.width, shape.out_height,
                                         shape.out_width);
            const Batch batch(3, 6, 21);
            const auto images = planar(bank, shape, 6);
            const auto oracle = render(program, images, batch.plain, DType::float32, 0, "scalar");
            for (const std::string& level : vector_levels())
                CHECK(render(program, images, batch.plain, DType::float32, 0, level) == oracle, "%s, %s, %d x %d",
                      recipe.name.c_str(), level.c_str(), shape.height, shape.width);
        }
    }
}

void test_many_views() {
    const Shape shape{3, 32, 32, 32, 32};
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 32, 32);
    for (const NamedRecipe& recipe : test_recipes()) {
        const AugmentProgram program(recipe.ops, 3, 32, 32, 32, 32);
        const Batch batch(kRacesOnly ? 200 : 3000, kImages, 5);
        const auto images = planar(bank, shape, kImages);
        const auto oracle = render(program, images, batch.plain, DType::float32, 0, "scalar", 2);
        for (const std::string& level : vector_levels())
            CHECK(render(program, images, batch.plain, DType::float32, 0, level, 2) == oracle, "%s on %s",
                  recipe.name.c_str(), level.c_str());
    }
}

/// A bank with any strides: channels-last, every second image of a larger bank, columns backwards.
void test_bank_strides() {
    const Shape shape{3, 20, 24, 20, 24};
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 20, 24);
    const auto images = planar(bank, shape, kImages);
    std::vector<uint8_t> moved(bank.size() * 2);
    const ImageView<uint8_t> last{moved.data(), kImages, 3, 20, 24, 2 * 20 * 24 * 3, 1, 24 * 3, 3};
    std::vector<uint8_t> backwards(bank.size());
    for (int64_t n = 0; n < kImages; ++n)
        for (int c = 0; c < 3; ++c)
            for (int y = 0; y < 20; ++y)
                for (int x = 0; x < 24; ++x) {
                    *last.at(n, c, y, x) = *images.at(n, c, y, x);
                    backwards[size_t(images.at(n, c, y, 23 - x) - bank.data())] = *images.at(n, c, y, x);
                }
    const ImageView<const uint8_t> strided{moved.data(), kImages, 3, 20, 24, 2 * 20 * 24 * 3, 1, 24 * 3, 3};
    const ImageView<const uint8_t> mirrored{backwards.data() + 23, kImages, 3, 20, 24, 3 * 20 * 24, 20 * 24, 24, -1};
    for (const NamedRecipe& recipe : test_recipes()) {
        const AugmentProgram program(recipe.ops, 3, 20, 24, 20, 24);
        const Batch batch(64, kImages, 6);
        const auto oracle = render(program, images, batch.plain, DType::float32, 0, "scalar");
        std::vector<std::string> levels = vector_levels();
        levels.push_back("scalar");
        for (const std::string& level : levels) {
            CHECK(render(program, strided, batch.plain, DType::float32, 0, level) == oracle, "%s", level.c_str());
            CHECK(render(program, mirrored, batch.plain, DType::float32, 0, level) == oracle, "%s", level.c_str());
        }
    }
}

/// Order, threads and flush-to-zero of the caller change nothing; a view rendered alone is the view of the batch.
void test_views_are_pure() {
    const Shape shape{3, 32, 32, 32, 32};
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 32, 32);
    const auto images = planar(bank, shape, kImages);
    const AugmentProgram program({resized_crop_op(), flip_op(), jitter_op(), {7, 0, {0, 0, 0, 3e37, 1, 1e38}}}, 3, 32,
                                 32, 32, 32);  // the division leaves subnormal numbers
    const Batch batch(200, kImages, 7);
    const auto whole = render(program, images, batch.plain, DType::float32, 0, "auto", 1);
    CHECK(render(program, images, batch.plain, DType::float32, 0, "auto", 4) == whole);
    const size_t view_bytes = whole.size() / 200;
    for (int64_t i = 199; i >= 0; --i) {
        AugmentBatch one = batch.plain;
        one.ids += i;
        one.views += i;
        one.count = 1;
        const auto alone = render(program, images, one, DType::float32, 0, "auto");
        CHECK(std::memcmp(alone.data(), whole.data() + size_t(i) * view_bytes, view_bytes) == 0, "view %d", int(i));
    }
#if defined(ROTE_X86)
    const unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040 | 0x6000);  // flush to zero, denormals are zero, round toward zero
    const auto flushed = render(program, images, batch.plain, DType::float32, 0, "auto", 2);
    const auto oracle = render(program, images, batch.plain, DType::float32, 0, "scalar", 2);
    CHECK(_mm_getcsr() == (saved | 0x8040 | 0x6000));
    _mm_setcsr(saved);
    CHECK(flushed == whole && oracle == whole);
#endif
}

void test_rows_replay() {
    const Shape shape{3, 32, 32, 32, 32};
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 32, 32);
    const auto images = planar(bank, shape, kImages);
    for (const NamedRecipe& recipe : test_recipes()) {
        const AugmentProgram program(recipe.ops, 3, 32, 32, 32, 32);
        const Batch batch(50, kImages, 8);
        std::vector<int32_t> rows(size_t(50 * program.row_words()) + 1);
        augment_sample(program, batch.plain, rows.data(), 1);
        AugmentBatch replay = batch.plain;
        replay.views = nullptr;
        replay.rows = rows.data();
        CHECK(render(program, images, replay, DType::float32, 0, "auto") ==
                  render(program, images, batch.plain, DType::float32, 0, "auto"),
              "%s", recipe.name.c_str());
    }
}

/// Values that are known without running the engine.
void test_known_pixels() {
    const Shape shape{1, 2, 2, 2, 2};
    const std::vector<uint8_t> bank = {0, 51, 102, 255};
    const auto images = planar(bank, shape, 1);
    const int64_t id = 0;
    const auto pixels = [&](const std::vector<AugmentOp>& ops, std::vector<int32_t> row, int out = 2) {
        const AugmentProgram program(ops, 1, 2, 2, out, out);
        AugmentBatch batch;
        batch.ids = &id;
        row.push_back(0);
        batch.rows = row.data();
        batch.count = 1;
        const auto memory = render(program, images, batch, DType::float32, 0, "auto");
        std::vector<float> values(memory.size() / 4);
        std::memcpy(values.data(), memory.data(), memory.size());
        return values;
    };
    using Pixels = std::vector<float>;
    const float a = 0, b = 51 / 255.0f, c = 102 / 255.0f, d = 1;
    CHECK(pixels({}, {}) == (Pixels{a, b, c, d}));
    CHECK(pixels({flip_op()}, {1}) == (Pixels{b, a, d, c}));
    CHECK(pixels({crop_op(1, 0, 0.5)}, {0, 1}) == (Pixels{0.5f, 0.5f, a, b}));
    CHECK(pixels({crop_op(1, 1)}, {0, 0}) == (Pixels{a, a, a, a}));
    CHECK(pixels({crop_op(1, 2)}, {0, 0}) == (Pixels{d, c, b, a}));
    CHECK(pixels({resized_crop_op()}, {0, 0, 1, 2}) == (Pixels{a, b, a, b}));
    CHECK(pixels({normalize_op()}, {}) ==
          (Pixels{(a - 0.4914f) / 0.2470f, (b - 0.4914f) / 0.2470f, (c - 0.4914f) / 0.2470f, (d - 0.4914f) / 0.2470f}));
    const auto upscaled = pixels({resized_crop_op()}, {0, 0, 2, 2}, 4);  // taps 1, 3/4 + 1/4, 1/4 + 3/4, 1
    CHECK(upscaled[0] == a && upscaled[3] == b && std::fabs(upscaled[1] - 0.25f * b) < 1e-7f);
    // A quarter turn: torchvision's positive angle is clockwise.
    const auto word = [](float value) {
        int32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        return bits;
    };
    for (int interpolation : {0, 1})
        CHECK(pixels({affine_op(interpolation)}, {word(90), 0, 0, word(1), 0, 0}) == (Pixels{c, a, d, b}));
    CHECK(pixels({affine_op(0, 0.5)}, {0, 1, 0, word(1), 0, 0}) == (Pixels{0.5f, a, 0.5f, c}));
    const float one = 1.0f;  // contrast 0 leaves the mean alone
    const auto flat = pixels({jitter_op()}, {1, 0, 1, 2, 3, word(one), word(0), word(one), word(0)});
    CHECK(flat[0] == flat[3] && std::fabs(flat[0] - (b + c + d) / 4) < 1e-6f, "mean %g", flat[0]);
}

void test_bad_input() {
    const Shape shape{3, 8, 8, 8, 8};
    const std::vector<uint8_t> bank = test_bank(4, 3, 8, 8);
    const auto images = planar(bank, shape, 4);
    const AugmentProgram program({resized_crop_op(), jitter_op()}, 3, 8, 8, 8, 8);
    int64_t id = 0, view = 0;
    AugmentBatch batch;
    batch.ids = &id;
    batch.views = &view;
    batch.count = 1;
    const auto go = [&] { render(program, images, batch, DType::float32, 0, "auto"); };
    go();
    id = 4;
    CHECK_THROWS(ArgumentError, go());
    id = -1;
    CHECK_THROWS(ArgumentError, go());
    id = 3;
    view = int64_t(1) << 48;
    CHECK_THROWS(ArgumentError, go());
    view = -1;
    CHECK_THROWS(ArgumentError, go());
    view = (int64_t(1) << 48) - 1;
    go();
    CHECK_THROWS(ArgumentError, render(program, images, batch, DType::float32, 0, "sse9"));
    CHECK_THROWS(ArgumentError, render(program, images, batch, DType::float64, 0, "auto"));
    CHECK_THROWS(ArgumentError, render(program, planar(bank, {3, 4, 16, 8, 8}, 4), batch, DType::float32, 0, "auto"));
    std::vector<int32_t> row(13);
    augment_sample(program, batch, row.data(), 1);
    batch.rows = row.data();
    batch.views = nullptr;
    go();
    const auto with = [&](size_t field, int32_t value) {
        const std::vector<int32_t> kept = row;
        row[field] = value;
        CHECK_THROWS(ArgumentError, go());
        row = kept;
    };
    with(0, -1);
    with(2, 0);
    with(2, 9);
    with(3, 1 << 30);
    with(5, row[6]);
    with(9, 0x7fc00000);   // NaN brightness
    with(12, 0x3f800000);  // hue 1
    batch.rows = nullptr;
    CHECK_THROWS(ArgumentError, go());
    batch.count = 0;
    batch.views = &view;
    go();
}

}  // namespace

int main() {
    test_known_pixels();
    test_levels_agree();
    test_large_images();
    test_many_views();
    test_bank_strides();
    test_views_are_pure();
    test_rows_replay();
    test_bad_input();
    std::string levels;
    for (const std::string& level : vector_levels()) levels += " " + level;
    std::printf("augment executors: ok (scalar%s)\n", levels.c_str());
}
