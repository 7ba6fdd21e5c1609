// tests/test_augment_chains.cpp: what the vector executors owe a view gives the oracle's bits however it is paid:
// chains of colour operations in every order, from every source, into every kind of memory.
#include <cmath>
#include <cstring>
#include <vector>

#include "augment/cpu/normalization.h"
#include "augment_batch.h"
#include "augment_recipes.h"
#include "check.h"
#include "runtime/simd.h"

using namespace rote;

namespace {

constexpr int64_t kImages = 20;

/// Memory that begins `offset` bytes behind a multiple of 64.
struct Memory {
    std::vector<uint8_t> bytes;
    uint8_t* begin;
    size_t size;

    Memory(size_t wanted, size_t offset) : bytes(wanted + 128, 0xab), size(wanted) {
        begin = bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64) % 64 + offset;
    }
    bool operator==(const Memory& other) const { return std::memcmp(begin, other.begin, size) == 0; }
    bool untouched_around() const {
        for (const uint8_t* p = bytes.data(); p < bytes.data() + bytes.size(); ++p)
            if ((p < begin || p >= begin + size) && *p != 0xab) return false;
        return true;
    }
};

struct Case {
    std::vector<AugmentOp> ops;
    int channels = 3, height = 32, width = 32, out = 32;
    DType dtype = DType::float32;
    int64_t pitch = 0;  // elements from row to row of the output; 0: the width
    size_t offset = 0;
    int64_t count = 48;
};

/// All levels against the oracle; `edit` changes the drawn rows first.
template <class Edit>
void check_case(const char* name, const Case& c, Edit&& edit) {
    const AugmentProgram program(c.ops, c.channels, c.height, c.width, c.out, c.out);
    const std::vector<uint8_t> bank = test_bank(kImages, c.channels, c.height, c.width);
    const ImageView<const uint8_t> images = planar(bank, {c.channels, c.height, c.width, c.out, c.out}, kImages);
    std::vector<int64_t> ids(size_t(c.count)), views(size_t(c.count));
    for (int64_t i = 0; i < c.count; ++i) {
        ids[size_t(i)] = i % kImages;
        views[size_t(i)] = 1000 + i;
    }
    AugmentBatch batch;
    batch.ids = ids.data();
    batch.views = views.data();
    batch.count = c.count;
    batch.seed = 11;
    const int32_t words = program.row_words();
    std::vector<int32_t> rows(size_t(c.count * words) + 1);
    augment_sample(program, batch, rows.data(), 1);
    for (int64_t i = 0; i < c.count; ++i) edit(i, rows.data() + i * words);
    batch.rows = rows.data();

    const int64_t pitch = c.pitch ? c.pitch : c.out;
    const size_t element = c.dtype == DType::float32 ? 4 : 2;
    const auto render = [&](const std::string& level) {
        Memory memory(size_t(c.count * c.channels * c.out * pitch) * element, c.offset);
        const AugmentOutput output{memory.begin, c.dtype, {c.channels * c.out * pitch, c.out * pitch, pitch, 1}};
        augment_render(program, images, batch, output, 2, level);
        CHECK(memory.untouched_around(), "%s on %s", name, level.c_str());
        return memory;
    };
    const Memory oracle = render("scalar");
    for (const std::string& level : vector_levels())
        CHECK(render(level) == oracle, "%s on %s, %d channels, %d x %d to %d, dtype %d, pitch %d, offset %d", name,
              level.c_str(), c.channels, c.height, c.width, c.out, int(c.dtype), int(pitch), int(c.offset));
}

void check_case(const char* name, const Case& c) {
    check_case(name, c, [](int64_t, int32_t*) {});
}

/// The order of a jitter whose fields begin at `fields`, by the rank of its permutation.
void set_order(int32_t* fields, int64_t rank) {
    int32_t left[4] = {0, 1, 2, 3};
    for (int place = 0, block = 6; place < 4; ++place) {
        const int64_t which = rank / block;
        rank %= block;
        block = place < 2 ? block / (3 - place) : 1;
        fields[1 + place] = left[which];
        for (int64_t i = which; i < 3; ++i) left[i] = left[i + 1];
    }
    fields[0] = 1;
}

void test_orders() {
    for (int channels : {1, 3}) {
        Case c;
        c.channels = channels;
        c.count = 24 * 6;
        c.ops = {resized_crop_op(), flip_op(), jitter_op(), grayscale_op(0.5), normalize_op()};
        check_case("resize, jitter", c, [](int64_t i, int32_t* row) { set_order(row + 5, i % 24); });
        c.ops = {crop_op(4, 2), jitter_op(), flip_op(), normalize_op()};
        check_case("bytes, jitter", c, [](int64_t i, int32_t* row) { set_order(row + 2, i % 24); });
        c.ops = {crop_op(4, 0, 0.3), jitter_op(), crop_op(2, 0, 0.7, 1), grayscale_op()};
        check_case("fill, jitter, fill", c, [](int64_t i, int32_t* row) { set_order(row + 2, i % 24); });
        c.ops = {jitter_op(), resized_crop_op(), grayscale_op(), resized_crop_op(1)};
        check_case("jitter, resizes", c, [](int64_t i, int32_t* row) { set_order(row, i % 24); });
    }
}

/// Rings of narrowed rows, windows wider than a vector's reach, rows of less and more than a block.
void test_sizes() {
    for (const DType dtype : {DType::float32, DType::bfloat16})
        for (const auto& [size, out] : std::vector<std::pair<int, int>>{{32, 31},
                                                                        {32, 33},
                                                                        {33, 32},
                                                                        {40, 64},
                                                                        {80, 72},
                                                                        {100, 96},
                                                                        {150, 65},
                                                                        {130, 130},
                                                                        {7, 5},
                                                                        {200, 20}}) {
            Case c;
            c.height = size + 3;
            c.width = size;
            c.out = out;
            c.count = 12;
            c.dtype = dtype;
            c.ops = {resized_crop_op(), flip_op(), jitter_op(), normalize_op()};
            check_case("sizes", c);
            c.ops = {flip_op(), resized_crop_op(0, 0.5, 1.0), normalize_op()};
            check_case("flipped before", c);
        }
}

/// Outputs beyond the caches are streamed where their addresses allow.
void test_streaming() {
    for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16})
        for (const auto& [pitch, offset] :
             std::vector<std::pair<int64_t, size_t>>{{32, 0}, {32, 32}, {32, 4}, {64, 0}, {48, 0}, {33, 0}}) {
            Case c;
            c.dtype = dtype;
            c.pitch = pitch;
            c.offset = offset;
            c.count = (dtype == DType::float32 ? 1400 : 2800);  // more than 16 MiB of pixels
            c.ops = {crop_op(), flip_op(), normalize_op()};
            check_case("streamed crops", c);
        }
    Case c;
    c.count = 1400;
    c.ops = {resized_crop_op(), jitter_op(), normalize_op()};
    check_case("streamed jitter", c);
}

/// Means and deviations on both sides of what a multiplication may stand for.
void test_normalizations() {
    const std::vector<std::vector<double>> constants = {{0.5, 0.5, 0.5, 0.5, 0.5, 0.5},
                                                        {0.5, 0.25, 0.125, 0.3, 0.7, 0.9},
                                                        {0, 0, 0, 0.3, 0.3, 0.3},
                                                        {0, 0, 0, 1, 0.5, 2},
                                                        {0.1, 0.2, 0.3, 1e-7, 1e-7, 0.1},
                                                        {1e-7, 0.2, 0.3, 0.1, 0.3, 0.7},
                                                        {0.4, 0.4, 0.4, 0.25, 0.24, 1e30},
                                                        {-3, 2, 0.4, 3e37, 1e38, 0.1},
                                                        {0.485, 0.456, 0.406, 0.229, 0.224, 0.225},
                                                        {0.4914, 0.4822, 0.4465, 0.247, 0.2435, 0.2616}};
    for (const auto& values : constants)
        for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16}) {
            Case c;
            c.dtype = dtype;
            c.ops = {flip_op(), {7, 0, values}};
            check_case("bytes normalized", c);
            c.ops = {resized_crop_op(), jitter_op(), {7, 0, values}};
            check_case("colours normalized", c);
        }
}

void test_reciprocals() {
    int multiplied = 0;
    for (int i = 1; i <= 40; ++i) {
        AugmentStep step{};
        step.kind = AugmentKind::normalize;
        step.constants[0] = 0.5;
        step.constants[3] = 0.0371 * i;
        const Normalization n = prepare_normalization(step, 1);
        if (n.method != NormalizationMethod::reciprocal) continue;
        ++multiplied;
        for (uint32_t k = 0; k < 20000; ++k) {
            const uint32_t word = address_block(3, k, uint64_t(i), 0xfff2, 0).word[0];
            const float y = float(int32_t(word)) * 0x1p-31f;
            CHECK(std::fma(y, n.high[0], y * n.low[0]) == y / n.std[0], "%a / %a", double(y), double(n.std[0]));
        }
    }
    CHECK(detected_simd_level() == SimdLevel::baseline || multiplied > 30, "%d of 40", multiplied);
    CHECK(augment_executor("scalar") == "scalar" && augment_executor("baseline") == "baseline");
    for (const std::string& level : vector_levels()) CHECK(augment_executor(level) == level, "%s", level.c_str());
}

}  // namespace

int main() {
    test_orders();
    test_sizes();
    test_streaming();
    test_normalizations();
    test_reciprocals();
    std::printf("augment chains: ok\n");
}
