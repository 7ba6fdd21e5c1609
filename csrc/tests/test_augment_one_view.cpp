// tests/test_augment_one_view.cpp: a call on one view allocates nothing and starts no threads.
#include <cstdlib>
#include <new>
#include <vector>

#if defined(__linux__)
#include <filesystem>
#endif

#include "check.h"
#include "rote/augment.h"

namespace {

long allocations = 0;

void* counted(std::size_t bytes) {
    ++allocations;
    void* const memory = std::malloc(bytes ? bytes : 1);
    if (!memory) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
    return counted(bytes);
}
void* operator new[](std::size_t bytes) {
    return counted(bytes);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

using namespace rote;

namespace {

long threads() {
    long count = 0;
#if defined(__linux__)
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        (void)entry;
        ++count;
    }
#endif
    return count;
}

void test_one_view() {
    constexpr int32_t kSize = 32;
    const std::vector<AugmentOp> ops = {
        {1, 0, {0.08, 1.0, 0.75, 4.0 / 3.0, 1, 1, 1}},
        {3, 0, {0.5}},
        {5, 0, {0.2, 1.8, 0.2, 1.8, 0.2, 1.8, -0.2, 0.2, 0.8}},
        {6, 0, {0.2}},
        {7, 0, {0.5, 0.5, 0.5, 0.2, 0.2, 0.2}},
    };
    const AugmentProgram program(ops, 3, kSize, kSize, kSize, kSize);
    const std::vector<uint8_t> bank(4 * 3 * kSize * kSize, 100);
    std::vector<float> pixels(3 * kSize * kSize);
    const ImageView<const uint8_t> images{bank.data(), 4, 3, kSize, kSize, 3 * kSize * kSize, kSize * kSize, kSize, 1};
    const AugmentOutput output{pixels.data(), DType::float32, {3 * kSize * kSize, kSize * kSize, kSize, 1}};
    const int64_t id = 2, address = 77, view = 5;
    AugmentBatch batch;
    batch.ids = &id;
    batch.address_ids = &address;
    batch.views = &view;
    batch.count = 1;
    const std::string level = "auto";
    augment_render(program, images, batch, output, 8, level);  // the thread's scratch is made once
    const long alone = threads();
    const long before = allocations;
    for (int call = 0; call < 3; ++call) augment_render(program, images, batch, output, 8, level);
    CHECK(allocations == before, "%ld allocations", allocations - before);
    CHECK(threads() == alone, "%ld threads, were %ld", threads(), alone);
}

}  // namespace

int main() {
    test_one_view();
    return 0;
}
