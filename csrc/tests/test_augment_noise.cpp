// tests/test_augment_noise.cpp: erasing, noise and mixing without Python: what draws may be, partners' rows, bad
// recipes and bad rows.
#include <cstring>
#include <vector>

#include "augment/meaning/mix.h"
#include "augment_recipes.h"
#include "check.h"
#include "rote/error.h"

using namespace rote;

namespace {

constexpr int64_t kImages = 40;

struct Draws {
    std::vector<int64_t> ids, views;
    std::vector<int32_t> rows;

    Draws(const AugmentProgram& program, int64_t count, uint64_t seed = 1) : ids(size_t(count)), views(size_t(count)) {
        for (int64_t i = 0; i < count; ++i) {
            ids[size_t(i)] = i % kImages;
            views[size_t(i)] = 977 * i;
        }
        rows.resize(size_t(count * program.row_words()) + 1);
        augment_sample(program, batch(seed), rows.data(), 1);
    }
    AugmentBatch batch(uint64_t seed = 1) const {
        AugmentBatch all;
        all.ids = ids.data();
        all.views = views.data();
        all.count = int64_t(ids.size());
        all.seed = seed;
        return all;
    }
};

/// Boxes stay inside the image on every shape, down to one pixel.
void test_boxes() {
    const int sizes[][2] = {{32, 32}, {1, 1}, {2, 1}, {5, 40}};
    for (const auto& size : sizes) {
        const int32_t h = size[0], w = size[1];
        const AugmentProgram program({erasing_op(1.0, true), cutout_op(7, 5, false, 1.0), cutmix_op(0.3, 1.0)}, 3, h, w,
                                     h, w);
        const Draws draws(program, 4000);
        const AugmentPlan& plan = program.plan();
        int erased = 0;
        for (int64_t i = 0; i < 4000; ++i) {
            const int32_t* const row = draws.rows.data() + i * plan.row_words;
            const EraseParameters erase = erasing_parameters(plan.steps[0], row);
            CHECK(!erase.applied || (row[1] >= 0 && row[2] >= 0 && row[3] >= 0 && row[4] >= 0 && row[3] < h &&
                                     row[4] < w && row[1] + row[3] <= h && row[2] + row[4] <= w));
            erased += erase.applied;
            const int32_t* const cut = row + plan.steps[1].row_offset;
            CHECK(cut[0] == 1 && cut[1] >= -3 && cut[1] < h - 3 && cut[2] >= -2 && cut[2] < w - 2);
            CHECK(!cutout_parameters(plan.steps[1], row).box.empty());
            const int32_t* const mix = row + plan.steps[2].row_offset;
            CHECK(mix[0] >= 0 && mix[0] < 40 && mix[1] >= 0 && mix[2] >= 0 && mix[3] >= 0 && mix[4] >= 0 &&
                  mix[1] + mix[3] <= h && mix[2] + mix[4] <= w);
        }
        CHECK(erased > 0, "nothing erased of %d x %d", h, w);
    }
}

/// A partner's row is what a view of the partner under the steps before would draw, without mixing.
void test_partner_rows() {
    const std::vector<AugmentOp> before = {resized_crop_op(), noise_op(), jitter_op()};
    std::vector<AugmentOp> ops = before;
    ops.push_back(mixup_op(1.0, 1.0));
    ops.push_back(flip_op());
    ops.push_back(cutmix_op(1.0, 1.0));
    const AugmentProgram program(ops, 3, 32, 32, 32, 32), plain(before, 3, 32, 32, 32, 32);
    const AugmentPlan& plan = program.plan();
    const Draws draws(program, 300);
    for (int64_t i = 0; i < 300; ++i) {
        const int32_t* const row = draws.rows.data() + i * plan.row_words;
        for (int32_t s : {3, 5}) {
            const MixParameters mix = mix_parameters(plan.steps[s], row);
            const int64_t partner = mix.partner;
            AugmentBatch one = draws.batch();
            one.ids = &partner;
            one.views += i;
            one.count = 1;
            std::vector<int32_t> own(size_t(plain.row_words()));
            augment_sample(plain, one, own.data(), 1);
            CHECK(std::memcmp(own.data(), mix.partner_row, own.size() * 4) == 0, "view %d, step %d", int(i), int(s));
        }
        const MixParameters last = mix_parameters(plan.steps[5], row);
        for (int32_t word = 0; word < plan.steps[3].row_words + plan.steps[3].row_offset; ++word)
            CHECK(last.partner_row[plan.steps[3].row_offset + word] == 0);
    }
}

void test_bad_recipes() {
    const auto make = [](const AugmentOp& op, int channels = 3) {
        return AugmentProgram({op}, channels, 16, 16, 16, 16).row_words();
    };
    const AugmentOp good[] = {erasing_op(), cutout_op(), noise_op(), mixup_op(), cutmix_op()};
    for (const AugmentOp& op : good) make(op);
    const auto bad = [&](AugmentOp op, size_t constant, double value) {
        op.constants[constant] = value;
        CHECK_THROWS(ArgumentError, make(op));
    };
    bad(erasing_op(), 0, 1.5);
    bad(erasing_op(), 1, 0.5);   // above the upper end of the scale
    bad(erasing_op(), 3, 0);     // ratio
    bad(erasing_op(), 5, 0.5);   // neither value nor noise
    bad(erasing_op(), 6, -0.5);  // no pixel in [0, 1]
    bad(cutout_op(), 0, 17);
    bad(cutout_op(), 1, 2.5);
    bad(cutout_op(), 2, 2);
    bad(cutout_op(), 6, -1);
    bad(noise_op(), 1, -0.1);
    bad(noise_op(), 2, 3);
    bad(mixup_op(), 0, 0);
    bad(mixup_op(), 2, 0);
    bad(cutmix_op(), 2, 2147483648.0);
    bad(cutmix_op(), 2, 1.5);
    make(cutout_op(17, 30, false));
    AugmentOp coloured = erasing_op();
    coloured.constants[7] = 0.75;
    make(coloured);
    CHECK_THROWS(ArgumentError, make(coloured, 1));
    // Colour stands where pixels are in [0, 1].
    CHECK_THROWS(ArgumentError, AugmentProgram({noise_op(0.1, false), jitter_op()}, 3, 8, 8, 8, 8));
    CHECK_THROWS(ArgumentError, AugmentProgram({erasing_op(0.5, true), grayscale_op()}, 3, 8, 8, 8, 8));
    AugmentProgram({noise_op(), jitter_op()}, 3, 8, 8, 8, 8);
}

void test_bad_rows() {
    const AugmentProgram program({erasing_op(1.0), cutout_op(4, 4, true, 1.0), mixup_op(1.0, 1.0), cutmix_op(1.0, 1.0)},
                                 3, 16, 16, 16, 16);
    const AugmentPlan& plan = program.plan();
    const std::vector<uint8_t> bank = test_bank(kImages, 3, 16, 16);
    const Draws draws(program, 1);
    std::vector<float> pixels(3 * 256);
    std::vector<int32_t> row = draws.rows;
    const auto go = [&](bool replay, int64_t images) {
        AugmentBatch batch = draws.batch();
        if (replay) batch.rows = row.data();
        augment_render(program, {bank.data(), images, 3, 16, 16, 3 * 256, 256, 16, 1}, batch,
                       {pixels.data(), DType::float32, {3 * 256, 256, 16, 1}}, 1, "auto");
    };
    go(true, kImages);
    go(false, kImages);
    CHECK_THROWS(ArgumentError, go(false, kImages - 1));  // partners are drawn from 40
    const auto with = [&](int32_t step, int32_t field, int32_t value) {
        const std::vector<int32_t> kept = row;
        row[size_t(plan.steps[step].row_offset + field)] = value;
        CHECK_THROWS(ArgumentError, go(true, kImages));
        row = kept;
    };
    with(0, 1, -1);
    with(0, 3, 17);
    with(0, 2, 1 << 30);
    with(1, 1, 13);
    with(2, 0, int32_t(kImages));
    with(2, 0, -1);
    with(2, 1, float_word(1.5f));
    with(2, 1, 0x7fc00000);  // NaN
    with(2, 2 + 3, 99);      // the partner's own box
    with(3, 3, -1);
    with(3, 4, 17);
    with(3, 1, 1 << 30);
    with(3, 0, 1 << 30);
}

}  // namespace

int main() {
    test_boxes();
    test_partner_rows();
    test_bad_recipes();
    test_bad_rows();
    std::puts("augment noise: ok");
}
