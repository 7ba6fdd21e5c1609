// tests/test_augment_batches.cpp: several batches in one call are the same pixels as by a call each.
#include <cstring>
#include <vector>

#include "augment_batch.h"
#include "augment_recipes.h"
#include "check.h"
#include "rote/error.h"

using namespace rote;

namespace {

constexpr int64_t kImages = 40, kPlane = 16 * 16, kView = 3 * kPlane, kLongest = 70;
constexpr int kJobs = 4;
constexpr int64_t kCounts[kJobs] = {kLongest, 1, 0, 64};  // more than one hand-out to a thread, and fewer
const Shape kShape{3, 16, 16, 16, 16};

/// The batches fill channels of one tensor [70, 4 * 3, 16, 16], each from its own bank.
void test_interleaved_batches(const NamedRecipe& recipe, int threads) {
    const AugmentProgram program(recipe.ops, 3, 16, 16, 16, 16);
    const std::vector<uint8_t> banks[] = {test_bank(kImages, 3, 16, 16), test_bank(2 * kImages, 3, 16, 16)};
    std::vector<float> together(size_t(kLongest * kJobs * kView), -1.0f);
    std::vector<Batch> batches;
    for (int j = 0; j < kJobs; ++j) {
        batches.emplace_back(kLongest, kImages, uint64_t(j));
        batches.back().plain.count = kCounts[j];
    }
    AugmentJob jobs[kJobs];
    for (int j = 0; j < kJobs; ++j)
        jobs[j] = {planar(banks[j % 2], kShape, kImages * (1 + j % 2)),
                   batches[size_t(j)].plain,
                   {together.data() + j * kView, DType::float32, {kJobs * kView, kPlane, 16, 1}}};
    augment_render_batches(program, jobs, kJobs, threads, "auto");

    for (int j = 0; j < kJobs; ++j) {
        std::vector<float> alone(size_t(kLongest * kView), -1.0f);
        const AugmentOutput output{alone.data(), DType::float32, {kView, kPlane, 16, 1}};
        augment_render(program, jobs[j].images, jobs[j].batch, output, 1, "auto");
        for (int64_t i = 0; i < kLongest; ++i)  // behind the end of a shorter batch both are as they were
            CHECK(std::memcmp(together.data() + (i * kJobs + j) * kView, alone.data() + i * kView,
                              size_t(kView) * sizeof(float)) == 0,
                  "%s, batch %d, view %d, %d threads", recipe.name.c_str(), j, int(i), threads);
    }

    jobs[kJobs - 1].batch.ids = batches[0].views.data();  // far outside the bank
    CHECK_THROWS(ArgumentError, augment_render_batches(program, jobs, kJobs, threads, "auto"));
}

}  // namespace

int main() {
    for (const NamedRecipe& recipe : test_recipes())
        for (const int threads : {1, 3}) test_interleaved_batches(recipe, threads);
    std::printf("augment batches: ok\n");
}
