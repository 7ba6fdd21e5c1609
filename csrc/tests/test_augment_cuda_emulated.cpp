// tests/test_augment_cuda_emulated.cpp: the CUDA kernels of the augmentation, as they are, run on the CPU
// (tests/emulation), against the scalar oracle, bit for bit.
#include <cstdio>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main() {
    std::puts("skipped: sanitizers do not follow fibers");
}
#else
#include "emulation/cuda_runtime.h"
// The kernels, as they are.
#include "augment/cuda/dispatch.cu"
#include "augment/cuda/fast.cu"
#include "augment/cuda/sample.cu"
#include "augment/cuda/simple.cu"
//
#include <string>
#include <vector>

#include "augment_batch.h"
#include "augment_recipes.h"
#include "check.h"

using namespace rote;

namespace {

constexpr int64_t kImages = 40;  // partners of the recipes are among them
constexpr DType kDtypes[] = {DType::float32, DType::float16, DType::bfloat16};

/// Memory of layout 0 NCHW, 1 channels-last, 2 with gaps, 3 NCHW off every 16-byte boundary; gaps and ends included.
std::vector<uint8_t> render(const AugmentProgram& program, const ImageView<const uint8_t>& images,
                            const AugmentBatch& batch, DType dtype, int layout, const std::string& path) {
    const AugmentPlan& plan = program.plan();
    const int64_t c = plan.channels, h = plan.out_height, w = plan.out_width;
    const int64_t bytes = dtype == DType::float32 ? 4 : 2;
    const int64_t strides[4][4] = {{c * h * w, h * w, w, 1},
                                   {c * h * w, 1, w * c, c},
                                   {(c * h + 3) * (w + 5), h * (w + 5), w + 5, 1},
                                   {c * h * w, h * w, w, 1}};
    AugmentOutput output;
    output.dtype = dtype;
    std::copy(strides[layout], strides[layout] + 4, output.strides);
    constexpr size_t kGuard = 64;
    std::vector<uint8_t> memory(size_t(batch.count * output.strides[0] * bytes) + kGuard, 0xab);
    output.data = memory.data() + (layout == 3 ? bytes : 0);
    if (path == "oracle") {
        augment_render(program, images, batch, output, 1, "scalar");
        return memory;
    }
    const int64_t wanted = program.workspace_bytes(batch.count, true, path);
    std::vector<uint8_t> workspace(size_t(wanted) + 16 + kGuard, 0xff);
    auto* const base = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(workspace.data()) + 15) / 16 * 16);
    augment_render_cuda(program, images, batch, output, base, nullptr, 0, path);
    for (size_t i = 0; i < kGuard; ++i) CHECK(base[size_t(wanted) + i] == 0xff, "wrote behind the workspace");
    return memory;
}

bool fits(const NamedRecipe& recipe, const Shape& shape) {
    for (const AugmentOp& op : recipe.ops)
        if (shape.channels != 1 && shape.channels != 3 && ((op.kind >= 5 && op.kind <= 7) || op.kind >= 13))
            return false;
    if (shape.height == shape.out_height && shape.width == shape.out_width) return true;
    return recipe.resizes;
}

void check(const std::string& path, const NamedRecipe& recipe, const Shape& shape, int64_t count, DType dtype,
           int layout) {
    const std::vector<uint8_t> bank = test_bank(kImages, shape.channels, shape.height, shape.width);
    const AugmentProgram program(recipe.ops, shape.channels, shape.height, shape.width, shape.out_height,
                                 shape.out_width);
    const Batch batch(count, kImages, uint64_t(layout) + 10 * uint64_t(dtype));
    const auto images = planar(bank, shape, kImages);
    CHECK(render(program, images, batch.plain, dtype, layout, path) ==
              render(program, images, batch.plain, dtype, layout, "oracle"),
          "%s, %s, dtype %d, layout %d, %d x %d x %d to %d x %d", path.c_str(), recipe.name.c_str(), int(dtype), layout,
          shape.channels, shape.height, shape.width, shape.out_height, shape.out_width);
}

void test_recipes_agree(const std::string& path) {
    const Shape shapes[] = {{3, 32, 32, 32, 32}, {1, 32, 32, 32, 32}, {2, 9, 9, 9, 9},
                            {3, 28, 31, 28, 31}, {3, 48, 40, 24, 24}, {3, 33, 40, 50, 21}};
    for (const Shape& shape : shapes)
        for (const NamedRecipe& recipe : test_recipes()) {
            if (!fits(recipe, shape)) continue;
            for (DType dtype : kDtypes)
                for (int layout = 0; layout < 4; ++layout)
                    if (path == "fast" || layout % 3 == int(dtype)) check(path, recipe, shape, 3, dtype, layout);
        }
}

/// Recipes people use go the fast way; whole-image tables and noise do not.
void test_choice() {
    for (const NamedRecipe& recipe : test_recipes()) {
        const AugmentProgram program(recipe.ops, 3, 32, 32, 32, 32);
        const bool fast = fast_plan(program.plan()).possible;
        for (const char* name : {"none", "flip-crop-normalize", "resized-crop", "crop-cubic", "simclr", "simclr-blur",
                                 "affine-bilinear", "everything", "erasing", "cutout-inside", "mixup", "cutmix"})
            if (recipe.name == name) CHECK(fast, "%s", name);
        for (const char* name : {"equalize", "auto-contrast", "sharpness", "noise", "rand-augment", "mixes"})
            if (recipe.name == name) CHECK(!fast, "%s", name);
    }
}

/// Large images, of which some have their planes in the workspace and some take their means in a pass of their own.
void test_large(const std::string& path) {
    for (const int room : {227, 99}) {
        emulation::machine().shared_limit = room << 10;
        for (const NamedRecipe& recipe : test_recipes())
            for (const char* name : {"flip-crop-normalize", "simclr", "simclr-blur", "mixup"})
                if (recipe.name == name)
                    for (int layout : {0, 1}) check(path, recipe, {3, 96, 96, 96, 96}, 2, DType::bfloat16, layout);
    }
    emulation::machine().shared_limit = 227 << 10;
    for (const NamedRecipe& recipe : test_recipes())
        if (recipe.name == "simclr") check(path, recipe, {3, 50, 280, 44, 270}, 2, DType::float32, 0);
}

/// More views than teams, and than parameters drawn at once.
void test_many_views(const std::string& path) {
    for (const NamedRecipe& recipe : test_recipes()) check(path, recipe, {3, 32, 32, 32, 32}, 40, DType::float32, 0);
    emulation::machine().processors = 1;
    for (const NamedRecipe& recipe : test_recipes())
        if (recipe.name == "simclr" || recipe.name == "flip-crop-reflect" || recipe.name == "cutmix")
            check(path, recipe, {3, 12, 12, 12, 12}, 300, DType::float16, 0);
    emulation::machine().processors = 4;
}

/// The division of the fast kernel is that of the hardware.
void test_division() {
    std::mt19937 random(5);
    const auto number = [&](int least, int most) {
        return std::ldexp(1.0f + float(random() >> 9) * 0x1p-23f, least + int(random() % unsigned(most - least)));
    };
    for (int i = 0; i < 4000; ++i) {
        const float std = i < 2 ? (i ? 0x1.fffffep-1f : 1.0f) : number(-20, 19), reciprocal = 1.0f / std;
        for (int k = 0; k < 500; ++k) {
            const float x = k == 0 ? 0.0f : (k % 2 ? number(-46, 20) : -number(-46, 20));
            CHECK(float_bits(divide_quick(x, std, reciprocal)) == float_bits(x / std), "%a / %a", double(x),
                  double(std));
        }
    }
}

/// Ids and views out of range: NaN, and rows of -1. Everything else as if they were not there.
void test_bad_addresses(const std::string& path) {
    const Shape shape{3, 32, 32, 32, 32};
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 32, 32);
    const auto images = planar(bank, shape, kImages);
    const AugmentProgram program(test_recipes()[4].ops, 3, 32, 32, 32, 32);
    Batch batch(9, kImages, 3);
    batch.ids[1] = -1;
    batch.ids[3] = kImages;
    batch.ids[4] = int64_t(1) << 40;
    batch.views[6] = int64_t(1) << 48;
    batch.views[8] = -1;
    const bool bad[] = {false, true, false, true, true, false, true, false, true};
    const auto got = render(program, images, batch.plain, DType::float32, 0, path);
    for (size_t i = 0; i < 9; ++i) {
        AugmentBatch one = batch.plain;
        one.ids += i;
        one.views += i;
        one.count = 1;
        std::vector<float> wanted(3 * 32 * 32, float_from_bits(0x7fc00000u));
        if (!bad[i]) {
            const auto memory = render(program, images, one, DType::float32, 0, "oracle");
            std::memcpy(wanted.data(), memory.data(), wanted.size() * 4);
        }
        CHECK(std::memcmp(got.data() + i * wanted.size() * 4, wanted.data(), wanted.size() * 4) == 0, "view %d",
              int(i));
    }
}

void test_sampling() {
    for (const NamedRecipe& recipe : test_recipes()) {
        const AugmentProgram program(recipe.ops, 3, 32, 32, 32, 32);
        if (program.row_words() == 0) continue;
        Batch batch(300, kImages, 4);
        const size_t words = size_t(program.row_words());
        std::vector<int32_t> wanted(300 * words), got(300 * words);
        augment_sample(program, batch.plain, wanted.data(), 1);
        batch.ids[7] = int64_t(1) << 40;
        std::fill_n(wanted.begin() + long(7 * words), words, -1);
        augment_sample_cuda(program, batch.plain, got.data(), nullptr, 0);
        CHECK(got == wanted, "%s", recipe.name.c_str());
    }
}

/// Rows given, also hostile ones: whatever they hold, nothing is read outside the image.
void test_replay(const std::string& path) {
    const Shape shape{3, 32, 32, 32, 32};
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 32, 32);
    const auto images = planar(bank, shape, kImages);
    for (const NamedRecipe& recipe : test_recipes()) {
        const AugmentProgram program(recipe.ops, 3, 32, 32, 32, 32);
        const Batch batch(5, kImages, 8);
        std::vector<int32_t> rows(size_t(5 * program.row_words()) + 1);
        augment_sample(program, batch.plain, rows.data(), 1);
        AugmentBatch replay = batch.plain;
        replay.views = nullptr;
        replay.rows = rows.data();
        CHECK(render(program, images, replay, DType::float16, 0, path) ==
                  render(program, images, batch.plain, DType::float16, 0, "oracle"),
              "%s", recipe.name.c_str());
        for (size_t w = 0; w < rows.size(); ++w) rows[w] = int32_t(address_block(1, w, 0, 0xfff2, 0).word[0]);
        const auto hostile = render(program, images, replay, DType::float32, 0, path);
        CHECK(hostile == render(program, images, replay, DType::float32, 0, "simple"), "%s", recipe.name.c_str());
    }
}

void test_bad_input() {
    const Shape shape{3, 8, 8, 8, 8};
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 8, 8);
    const AugmentProgram program({flip_op()}, 3, 8, 8, 8, 8);
    Batch batch(1, kImages, 1);
    const auto images = planar(bank, shape, kImages);
    CHECK_THROWS(ArgumentError, render(program, images, batch.plain, DType::float32, 0, "fastest"));
    CHECK_THROWS(ArgumentError, render(program, images, batch.plain, DType::float64, 0, "simple"));
    CHECK_THROWS(ArgumentError,
                 render(program, planar(bank, {3, 4, 16, 8, 8}, kImages), batch.plain, DType::float32, 0, "auto"));
    AugmentBatch empty = batch.plain;
    empty.count = 0;
    render(program, images, empty, DType::float32, 0, "simple");
    empty.count = -1;
    AugmentOutput output;
    CHECK_THROWS(ArgumentError, augment_render_cuda(program, images, empty, output, nullptr, nullptr, 0));
    batch.plain.views = nullptr;
    CHECK_THROWS(ArgumentError, render(program, images, batch.plain, DType::float32, 0, "simple"));
}

}  // namespace

int main() {
    test_sampling();
    test_bad_input();
    test_choice();
    test_division();
    for (const std::string path : {"simple", "fast"}) {
        test_recipes_agree(path);
        test_large(path);
        test_many_views(path);
        test_bad_addresses(path);
        test_replay(path);
    }
    std::puts("augment on CUDA, emulated: ok");
}
#endif
