// runtime/peak_baseline.cpp: the peak loops in 16-byte vectors of what the compiler targets by default.
#include <cstring>

#include "runtime/peak_loops.h"

namespace rote {
namespace {

using Float4 = float __attribute__((vector_size(16)));
using Word2 = uint64_t __attribute__((vector_size(16)));

void multiply_add(int64_t turns) {
    Float4 sum[kSums] = {}, a = {0.9F, 1.1F, 0.7F, 1.3F}, b = {1.7F, -0.6F, 0.3F, -1.9F};
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            ROTE_OPAQUE(a);
            sum[i] += a * b;
        }
    }
    for (Float4& value : sum) ROTE_OPAQUE(value);
}

uint64_t read(const void* data, size_t bytes) {
    const auto* at = static_cast<const char*>(data);
    Word2 sum[8] = {};
    for (const char* end = at + bytes; at < end; at += sizeof(sum)) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i) {
            Word2 value;
            std::memcpy(&value, at + 16 * i, 16);
            sum[i] += value;
        }
    }
    for (int i = 1; i < 8; ++i) sum[0] += sum[i];
    return sum[0][0] + sum[0][1];
}

bool always() {
    return true;
}

constexpr ArithmeticLoop kArithmetic[] = {{"fma", 2.0 * 4 * kSums, multiply_add, always},
                                          {nullptr, 0, nullptr, nullptr}};

}  // namespace

const PeakLoops& peak_loops_baseline() {
    static constexpr PeakLoops loops = {kArithmetic, read};
    return loops;
}

}  // namespace rote
