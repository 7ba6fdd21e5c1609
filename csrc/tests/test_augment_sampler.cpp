// tests/test_augment_sampler.cpp: limits and distributions of what operations draw; slots; bad addresses and recipes.
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "augment/meaning/affine.h"
#include "augment/meaning/jitter.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"
#include "augment_recipes.h"
#include "check.h"
#include "rote/error.h"

using namespace rote;

namespace {

constexpr int kDraws = 40000;

std::vector<int32_t> draw(const std::vector<AugmentOp>& ops, int height, int width, int out_height, int out_width,
                          uint64_t seed = 1) {
    const AugmentProgram program(ops, 3, height, width, out_height, out_width);
    std::vector<int64_t> ids(kDraws), views(kDraws);
    for (int i = 0; i < kDraws; ++i) {
        ids[size_t(i)] = i % 100;
        views[size_t(i)] = i / 100;
    }
    AugmentBatch batch;
    batch.ids = ids.data();
    batch.views = views.data();
    batch.count = kDraws;
    batch.seed = seed;
    std::vector<int32_t> rows(size_t(kDraws) * size_t(program.row_words()));
    augment_sample(program, batch, rows.data(), 2);
    return rows;
}

/// Every count of a uniform choice lies within six standard deviations.
void check_uniform(const std::vector<int>& counts, const char* what) {
    double total = 0;
    for (int count : counts) total += count;
    const double expected = total / double(counts.size());
    for (int count : counts)
        CHECK(std::fabs(count - expected) < 6 * std::sqrt(expected), "%s: %d, expected %g", what, count, expected);
}

void test_resized_crop() {
    const std::vector<int32_t> rows = draw({resized_crop_op()}, 32, 32, 32, 32);
    double area = 0, log_ratio = 0;
    std::vector<int> tops(17);
    int halves = 0;
    for (int i = 0; i < kDraws; ++i) {
        const int32_t* r = &rows[size_t(i) * 4];
        CHECK(r[2] >= 1 && r[3] >= 1 && r[0] >= 0 && r[1] >= 0 && r[0] + r[2] <= 32 && r[1] + r[3] <= 32);
        area += r[2] * r[3] / 1024.0 / kDraws;
        log_ratio += std::log(double(r[3]) / r[2]) / kDraws;
        if (r[2] == 16) ++tops[size_t(r[0])], ++halves;
    }
    // Uniform area in (0.08, 1), less what rejection takes from large crops.
    CHECK(area > 0.46 && area < 0.54, "mean area %g", area);
    CHECK(std::fabs(log_ratio) < 0.01, "mean log ratio %g", log_ratio);
    check_uniform(tops, "top");
    // An impossible ratio falls back to the largest central crop.
    const std::vector<int32_t> wide = draw({{1, 0, {1.0, 1.0, 4.0, 4.0, 1, 1, 1}}}, 16, 16, 16, 16);
    const int32_t central[] = {6, 0, 4, 16};
    CHECK(std::memcmp(wide.data(), central, sizeof central) == 0);
}

void test_crop_and_flip() {
    const std::vector<int32_t> rows = draw({crop_op(), flip_op(0.3)}, 32, 32, 32, 32);
    std::vector<int> tops(9), lefts(9);
    int flips = 0;
    for (int i = 0; i < kDraws; ++i) {
        ++tops.at(size_t(rows[size_t(i) * 3]));
        ++lefts.at(size_t(rows[size_t(i) * 3 + 1]));
        flips += rows[size_t(i) * 3 + 2];
    }
    check_uniform(tops, "top");
    check_uniform(lefts, "left");
    CHECK(std::abs(flips - 0.3 * kDraws) < 6 * std::sqrt(0.21 * kDraws), "%d flips", flips);
    for (double p : {0.0, 1.0})
        for (int32_t flipped : draw({flip_op(p)}, 8, 8, 8, 8)) CHECK(flipped == int(p));
}

void test_affine() {
    const std::vector<int32_t> rows = draw({affine_op()}, 20, 30, 20, 30);
    double angle = 0, scale = 0;
    std::vector<int> shifts(7);
    for (int i = 0; i < kDraws; ++i) {
        const int32_t* r = &rows[size_t(i) * 6];
        CHECK(std::fabs(word_float(r[0])) <= 30 && r[1] >= -3 && r[1] <= 3 && r[2] >= -4 && r[2] <= 4);
        CHECK(word_float(r[3]) >= 0.8f && word_float(r[3]) <= 1.2f && std::fabs(word_float(r[4])) <= 10 &&
              std::fabs(word_float(r[5])) <= 5);
        angle += word_float(r[0]) / kDraws;
        scale += word_float(r[3]) / kDraws;
        ++shifts[size_t(r[1] + 3)];
    }
    CHECK(std::fabs(angle) < 0.5 && std::fabs(scale - 1) < 0.005, "mean angle %g, scale %g", angle, scale);
    check_uniform({shifts.begin() + 1, shifts.end() - 1}, "inner translations");
    CHECK(std::fabs(shifts[0] - kDraws / 12.0) < 6 * std::sqrt(kDraws / 12.0), "rounding halves the outer ones");
}

void test_jitter() {
    const std::vector<int32_t> rows = draw({jitter_op()}, 8, 8, 8, 8);
    std::vector<int> ranks(256);
    int applied = 0;
    for (int i = 0; i < kDraws; ++i) {
        const int32_t* r = &rows[size_t(i) * 9];
        applied += r[0];
        int seen = 0;
        for (int k = 1; k <= 4; ++k) seen |= 1 << r[k];
        CHECK(seen == 15);
        ++ranks[size_t(r[1] * 64 + r[2] * 16 + r[3] * 4 + r[4])];
        for (int k = 5; k < 8; ++k) CHECK(word_float(r[k]) >= 0.2f && word_float(r[k]) <= 1.8f);
        CHECK(std::fabs(word_float(r[8])) <= 0.2f);
    }
    std::vector<int> counts;
    for (int count : ranks)
        if (count) counts.push_back(count);
    CHECK(counts.size() == 24);
    check_uniform(counts, "order");
    CHECK(std::abs(applied - 0.8 * kDraws) < 6 * std::sqrt(0.16 * kDraws), "%d applied", applied);
    const std::vector<int32_t> neutral = draw({{5, 0, {1, 1, 1, 1, 1, 1, 0, 0, 1}}}, 8, 8, 8, 8);
    for (int k = 5; k < 9; ++k) CHECK(word_float(neutral[size_t(k)]) == (k < 8 ? 1.0f : 0.0f));
}

/// Taking an operation away, or putting another between, moves no other number; the seed and occurrence do.
void test_slots_are_stable() {
    const std::vector<int32_t> both = draw({resized_crop_op(), flip_op(), jitter_op(), grayscale_op()}, 32, 32, 32, 32);
    const std::vector<int32_t> jitter = draw({jitter_op()}, 32, 32, 32, 32);
    const std::vector<int32_t> again = draw({jitter_op()}, 32, 32, 32, 32, 2);
    for (int i = 0; i < kDraws; ++i)
        CHECK(std::memcmp(&both[size_t(i) * 15 + 5], &jitter[size_t(i) * 9], 36) == 0, "view %d", i);
    CHECK(jitter != again);
    CHECK(draw({flip_op()}, 8, 8, 8, 8) != draw({flip_op(0.5, 1)}, 8, 8, 8, 8));
}

/// Numbers written down once: a changed slot or formula fails here, and would change everybody's views.
void test_pinned_rows() {
    const AugmentProgram program({resized_crop_op(), crop_op(), flip_op(), affine_op(), jitter_op(), grayscale_op()}, 3,
                                 32, 32, 32, 32);
    const int64_t id = 123456789, view = (int64_t(1) << 47) + 5;
    AugmentBatch batch;
    batch.ids = &id;
    batch.views = &view;
    batch.count = 1;
    batch.seed = 0xfedcba9876543210ull;
    std::vector<int32_t> row(size_t(program.row_words()));
    augment_sample(program, batch, row.data(), 1);
    const int32_t expected[] = {2, 2,  30,         24,          2,           6,         1, -1059845636,
                                2, -6, 1065462601, -1060332549, -1080933650, 1,         1, 2,
                                3, 0,  1057427378, 1069321198,  1069928807,  981347533, 1};
    CHECK(row.size() == sizeof expected / sizeof *expected);
    for (size_t i = 0; i < row.size(); ++i) CHECK(row[i] == expected[i], "word %d is %d", int(i), row[i]);
}

/// The same for the operations that move pixels, and for the slots of their p.
void test_pinned_geometry_rows() {
    const AugmentProgram program({filtered_crop_op(2, true, 0.9),
                                  {2, 0, {3, 2, 0, 0.9}},
                                  vertical_flip_op(),
                                  alternating_flip_op(),
                                  rare_affine_op(0.9, 0),
                                  rotation_op(1, 0, 0.9),
                                  resize_op(),
                                  center_crop_op()},
                                 3, 32, 32, 32, 32);
    std::vector<int64_t> ids(6, 123456789), views(6);
    for (int64_t i = 0; i < 6; ++i) views[size_t(i)] = (int64_t(1) << 47) + i;
    AugmentBatch batch;
    batch.ids = ids.data();
    batch.views = views.data();
    batch.count = 6;
    batch.seed = 0xfedcba9876543210ull;
    const size_t words = size_t(program.row_words());
    std::vector<int32_t> rows(6 * words);
    augment_sample(program, batch, rows.data(), 1);
    CHECK(words == 15);
    uint64_t hash = 14695981039346656037ull;  // FNV-1a over the words
    for (int32_t word : rows) hash = (hash ^ uint32_t(word)) * 1099511628211ull;
    CHECK(hash == 11618290952575212806ull, "hash of the rows is %llu", static_cast<unsigned long long>(hash));
    for (size_t i = 0; i + 1 < 6; ++i) CHECK(rows[i * words + 7] != rows[(i + 1) * words + 7], "alternating");
}

void test_bad_addresses() {
    const AugmentProgram program({flip_op()}, 3, 8, 8, 8, 8);
    int32_t row;
    const auto sample = [&](int64_t id, int64_t view) {
        AugmentBatch batch;
        batch.ids = &id;
        batch.views = &view;
        batch.count = 1;
        augment_sample(program, batch, &row, 1);
    };
    sample((int64_t(1) << 40) - 1, (int64_t(1) << 48) - 1);
    CHECK_THROWS(ArgumentError, sample(int64_t(1) << 40, 0));
    CHECK_THROWS(ArgumentError, sample(-1, 0));
    CHECK_THROWS(ArgumentError, sample(0, int64_t(1) << 48));
    CHECK_THROWS(ArgumentError, sample(0, -1));
}

void test_bad_recipes() {
    const auto make = [](AugmentOp op, int channels = 3, int size = 32, int out = 32) {
        AugmentProgram({op}, channels, size, size, out, out);
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    make(resized_crop_op());
    CHECK_THROWS(ArgumentError, make({0, 0, {}}));
    CHECK_THROWS(ArgumentError, make({8, 0, {}}));
    make(resize_op(16), 3, 32, 16);
    make(resize_op(5000), 3, 1, 5000);
    make(center_crop_op(32, 32));
    make(rotation_op());
    CHECK_THROWS(ArgumentError, make(resize_op(16), 3, 32, 32));
    CHECK_THROWS(ArgumentError, make(resize_op(16, 0, 3), 3, 32, 16));
    CHECK_THROWS(ArgumentError, make({10, 0, {16, 0, 1, 0.5}}, 3, 32, 16));
    CHECK_THROWS(ArgumentError, make(resize_op(0, 16), 3, 32, 16));
    CHECK_THROWS(ArgumentError, make(resize_op(16.5, 16), 3, 32, 16));
    CHECK_THROWS(ArgumentError, make(resize_op(-16, 16), 3, 32, 16));
    CHECK_THROWS(ArgumentError, make(resize_op(17000, 16), 3, 32, 16));
    CHECK_THROWS(ArgumentError, AugmentProgram({resize_op(9000)}, 3, 1, 2, 9000, 16384));
    CHECK_THROWS(ArgumentError, make(center_crop_op(16, 0), 3, 32, 16));
    CHECK_THROWS(ArgumentError, make(vertical_flip_op(-0.5)));
    CHECK_THROWS(ArgumentError, make(rotation_op(2)));
    CHECK_THROWS(ArgumentError, make(rotation_op(1, 1.5)));
    CHECK_THROWS(ArgumentError, make(rotation_op(1, 0, 2)));
    CHECK_THROWS(ArgumentError, make(rotation_op(1, 0, 1, -3)));
    CHECK_THROWS(ArgumentError, make(filtered_crop_op(3, true)));
    CHECK_THROWS(ArgumentError, make(filtered_crop_op(1, true, 1.5)));
    CHECK_THROWS(ArgumentError, make({1, 16, {0.1, 1, 1, 1, 1, 1, 1}}));
    CHECK_THROWS(ArgumentError, make({1, 0, {0.1, 1, 1}}));
    CHECK_THROWS(ArgumentError, make({1, 0, {nan, 1, 1, 1}}));
    CHECK_THROWS(ArgumentError, make({1, 0, {1, 0.1, 1, 1}}));
    CHECK_THROWS(ArgumentError, make({1, 0, {0, 1, 1, 1}}));
    CHECK_THROWS(ArgumentError, make({1, 0, {0.1, 1, -1, 1}}));
    CHECK_THROWS(ArgumentError, make(crop_op(-1)));
    CHECK_THROWS(ArgumentError, make(crop_op(1.5)));
    CHECK_THROWS(ArgumentError, make(crop_op(4, 4)));
    CHECK_THROWS(ArgumentError, make(crop_op(4, 0, 1.5)));
    CHECK_THROWS(ArgumentError, make(crop_op(32, 2)));
    CHECK_THROWS(ArgumentError, make(crop_op(33, 3)));
    CHECK_THROWS(ArgumentError, make(crop_op(1, 0), 3, 8, 11));
    CHECK_THROWS(ArgumentError, make(flip_op(1.5)));
    CHECK_THROWS(ArgumentError, make(flip_op(), 3, 32, 16));
    CHECK_THROWS(ArgumentError, make(jitter_op(), 4));
    CHECK_THROWS(ArgumentError, make({5, 0, {-1, 1, 1, 1, 1, 1, 0, 0, 1}}));
    CHECK_THROWS(ArgumentError, make({5, 0, {1, 1, 1, 1, 1, 1, 0, 0.6, 1}}));
    CHECK_THROWS(ArgumentError, make({7, 0, {0, 0, 0, 1, 1, 0}}));
    CHECK_THROWS(ArgumentError, make({4, 0, {0, 0, 2, 0, 1, 1, 0, 0, 0, 0, 0, 0}}));
    CHECK_THROWS(ArgumentError, make({4, 0, {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}}));
    CHECK_THROWS(ArgumentError, make(flip_op(), 3, 0, 0));
    CHECK_THROWS(ArgumentError, AugmentProgram({flip_op(), flip_op()}, 3, 8, 8, 8, 8));
    CHECK_THROWS(ArgumentError, AugmentProgram({normalize_op(), jitter_op()}, 3, 8, 8, 8, 8));
    CHECK_THROWS(ArgumentError, AugmentProgram(std::vector<AugmentOp>(17, flip_op()), 3, 8, 8, 8, 8));
}

}  // namespace

int main() {
    test_resized_crop();
    test_crop_and_flip();
    test_affine();
    test_jitter();
    test_slots_are_stable();
    test_pinned_rows();
    test_pinned_geometry_rows();
    test_bad_addresses();
    test_bad_recipes();
    std::puts("augment sampler: ok");
}
