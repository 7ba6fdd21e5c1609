// runtime/peak_avx512.cpp: the peak loops for AVX-512, and for its VNNI and BF16 where the CPU has them.
#if defined(ROTE_X86)
#include <immintrin.h>

#include "runtime/peak_loops.h"

namespace rote {
namespace {

void fused_multiply_add(int64_t turns) {
    __m512 sum[kSums];
    for (__m512& value : sum) value = _mm512_setzero_ps();
    __m512 a =
        _mm512_set_ps(0.9F, 1.1F, 0.7F, 1.3F, 0.8F, 1.2F, 0.6F, 1.4F, 0.5F, 1.5F, 0.4F, 1.6F, 0.3F, 1.7F, 0.2F, 1.8F);
    const __m512 b = _mm512_set_ps(1.7F, -0.6F, 0.3F, -1.9F, 1.1F, -0.2F, 0.5F, -0.9F, 1.6F, -0.7F, 0.4F, -1.8F, 1.2F,
                                   -0.3F, 0.6F, -0.8F);
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            ROTE_OPAQUE(a);
            sum[i] = _mm512_fmadd_ps(a, b, sum[i]);
        }
    }
    for (__m512& value : sum) ROTE_OPAQUE(value);
}

__m512i int16_pattern() {
    return _mm512_set_epi32(0x1234abcd, 0x77115533, 0x0f1e2d3c, 0x6b5a4978, 0x13572468, 0x2bad4dad, 0x5eed7777,
                            0x31415926, 0x27182818, 0x16180339, 0x57721566, 0x69314718, 0x14142135, 0x17320508,
                            0x22360679, 0x26457513);
}

void multiply_add_int16(int64_t turns) {
    __m512i sum[kSums];
    for (__m512i& value : sum) value = _mm512_setzero_si512();
    __m512i a = _mm512_set1_epi32(0x5a5a3c71);
    const __m512i b = int16_pattern();
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            ROTE_OPAQUE(a);
            __m512i total = _mm512_add_epi32(sum[i], _mm512_madd_epi16(a, b));
            ROTE_OPAQUE(total);  // in this order: otherwise more products than registers
            sum[i] = total;
        }
    }
    for (__m512i& value : sum) ROTE_OPAQUE(value);
}

__attribute__((target("avx512vnni"))) void dot_int16(int64_t turns) {
    __m512i sum[kSums];
    for (__m512i& value : sum) value = _mm512_setzero_si512();
    __m512i a = _mm512_set1_epi32(0x5a5a3c71);
    const __m512i b = int16_pattern();
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            ROTE_OPAQUE(a);
            sum[i] = _mm512_dpwssd_epi32(sum[i], a, b);
        }
    }
    for (__m512i& value : sum) ROTE_OPAQUE(value);
}

__attribute__((target("avx512bf16"))) void dot_bfloat16(int64_t turns) {
    __m512 sum[kSums];
    for (__m512& value : sum) value = _mm512_setzero_ps();
    // Pairs of bfloat16 near 1: 0x3f80 is 1, its low bits a fraction.
    __m512i a = _mm512_set1_epi32(0x3f993f8d);
    const __m512i b = _mm512_or_si512(_mm512_and_si512(int16_pattern(), _mm512_set1_epi32(int(0x803f803fU))),
                                      _mm512_set1_epi32(0x3f803f80));
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            ROTE_OPAQUE(a);
            sum[i] = _mm512_dpbf16_ps(sum[i], reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
        }
    }
    for (__m512& value : sum) ROTE_OPAQUE(value);
}

uint64_t read(const void* data, size_t bytes) {
    const auto* at = static_cast<const char*>(data);
    __m512i sum[8];
    for (__m512i& value : sum) value = _mm512_setzero_si512();
    for (const char* end = at + bytes; at < end; at += sizeof(sum)) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i) sum[i] = _mm512_xor_si512(sum[i], _mm512_loadu_si512(at + 64 * i));
    }
    for (int i = 1; i < 8; ++i) sum[0] = _mm512_xor_si512(sum[0], sum[i]);
    uint64_t parts[8];
    _mm512_storeu_si512(parts, sum[0]);
    return parts[0] ^ parts[1] ^ parts[2] ^ parts[3] ^ parts[4] ^ parts[5] ^ parts[6] ^ parts[7];
}

bool always() {
    return true;
}
bool has_vnni() {
    return __builtin_cpu_supports("avx512vnni") != 0;
}
bool has_bf16() {
    return __builtin_cpu_supports("avx512bf16") != 0;
}

constexpr ArithmeticLoop kArithmetic[] = {{"fma", 2.0 * 16 * kSums, fused_multiply_add, always},
                                          {"madd", 2.0 * 32 * kSums, multiply_add_int16, always},
                                          {"dpwssd", 2.0 * 32 * kSums, dot_int16, has_vnni},
                                          {"dpbf16", 2.0 * 32 * kSums, dot_bfloat16, has_bf16},
                                          {nullptr, 0, nullptr, nullptr}};

}  // namespace

const PeakLoops& peak_loops_avx512() {
    static constexpr PeakLoops loops = {kArithmetic, read};
    return loops;
}

}  // namespace rote
#endif
