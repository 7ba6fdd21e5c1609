// runtime/peak_avx2.cpp: the peak loops for AVX2 and FMA.
#if defined(ROTE_X86)
#include <immintrin.h>

#include "runtime/peak_loops.h"

namespace rote {
namespace {

void fused_multiply_add(int64_t turns) {
    __m256 sum[kSums];
    for (__m256& value : sum) value = _mm256_setzero_ps();
    __m256 a = _mm256_setr_ps(0.9F, 1.1F, 0.7F, 1.3F, 0.8F, 1.2F, 0.6F, 1.4F);
    const __m256 b = _mm256_setr_ps(1.7F, -0.6F, 0.3F, -1.9F, 1.1F, -0.2F, 0.5F, -0.9F);
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            ROTE_OPAQUE(a);
            sum[i] = _mm256_fmadd_ps(a, b, sum[i]);
        }
    }
    for (__m256& value : sum) ROTE_OPAQUE(value);
}

void multiply_add_int16(int64_t turns) {
    __m256i sum[kSums];
    for (__m256i& value : sum) value = _mm256_setzero_si256();
    __m256i a = _mm256_set1_epi32(0x5a5a3c71);
    const __m256i b = _mm256_setr_epi32(0x1234abcd, 0x77115533, 0x0f1e2d3c, 0x6b5a4978, 0x13572468, 0x2bad4dad,
                                        0x5eed7777, 0x31415926);
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            ROTE_OPAQUE(a);
            __m256i total = _mm256_add_epi32(sum[i], _mm256_madd_epi16(a, b));
            ROTE_OPAQUE(total);  // in this order: otherwise more products than registers
            sum[i] = total;
        }
    }
    for (__m256i& value : sum) ROTE_OPAQUE(value);
}

uint64_t read(const void* data, size_t bytes) {
    const auto* at = static_cast<const char*>(data);
    __m256i sum[8];
    for (__m256i& value : sum) value = _mm256_setzero_si256();
    for (const char* end = at + bytes; at < end; at += sizeof(sum)) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i)
            sum[i] = _mm256_xor_si256(sum[i], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32 * i)));
    }
    for (int i = 1; i < 8; ++i) sum[0] = _mm256_xor_si256(sum[0], sum[i]);
    return uint64_t(_mm256_extract_epi64(sum[0], 0)) ^ uint64_t(_mm256_extract_epi64(sum[0], 2));
}

bool always() {
    return true;
}

constexpr ArithmeticLoop kArithmetic[] = {{"fma", 2.0 * 8 * kSums, fused_multiply_add, always},
                                          {"madd", 2.0 * 16 * kSums, multiply_add_int16, always},
                                          {nullptr, 0, nullptr, nullptr}};

}  // namespace

const PeakLoops& peak_loops_avx2() {
    static constexpr PeakLoops loops = {kArithmetic, read};
    return loops;
}

}  // namespace rote
#endif
