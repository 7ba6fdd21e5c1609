// tests/test_avx512_intrinsics.cpp: every AVX-512 intrinsic of the executors against scalar code. Says whether an
// emulation is to be trusted; on a CPU with AVX-512 it says the same of this test. Exit 77: no AVX-512, nothing tested.
#include <cstdio>

#if defined(ROTE_X86)
// gcc 12's own avx512fintrin.h reads _mm512_undefined_*() and warns about it wherever it is inlined.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "runtime/simd.h"

using namespace rote;

namespace {

constexpr int kRounds = 2000;

std::mt19937 random_words(1);

// Ordinary numbers, and every kind of awkward one.
float random_float() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float awkward[] = {0.0f, -0.0f, 1e-45f, -1e-39f, 3.4e38f, -3.4e38f, kInfinity,  -kInfinity,
                             NAN,  0.5f,  -2.5f,  1.5f,    2.5f,    1e-20f,   16777217.0f};
    const uint32_t word = uint32_t(random_words());
    if (word % 8 == 0) return awkward[word / 8 % (sizeof awkward / sizeof *awkward)];
    return std::ldexp(float(int32_t(uint32_t(random_words()))), int(word / 8 % 60) - 60);
}

template <class T, int N>
struct Lanes {
    T at[N];
    Lanes() {
        for (T& x : at) random(x);
    }
    static void random(float& x) { x = random_float(); }
    template <class I>
    static void random(I& x) {
        const uint32_t word = uint32_t(random_words());
        x = word % 8 == 0   ? std::numeric_limits<I>::min()
            : word % 8 == 1 ? std::numeric_limits<I>::max()
                            : I(word >> 3);
    }
};

// The same value: the same bits, or both NaN.
bool same(float a, float b) {
    return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

using Floats = Lanes<float, 16>;
using Words = Lanes<int32_t, 16>;
using Shorts = Lanes<int16_t, 32>;

__m512 load(const Floats& x) {
    return _mm512_loadu_ps(x.at);
}
__m512i load(const Words& x) {
    return _mm512_loadu_si512(x.at);
}
__m512i load(const Shorts& x) {
    return _mm512_loadu_si512(x.at);
}

void check_floats(const __m512& got, const Floats& want, const char* what) {
    float lanes[16];
    _mm512_storeu_ps(lanes, got);
    for (int i = 0; i < 16; ++i)
        CHECK(same(lanes[i], want.at[i]), "%s, lane %d: %.9g, wanted %.9g", what, i, double(lanes[i]),
              double(want.at[i]));
}

void check_words(const __m512i& got, const Words& want, const char* what) {
    CHECK(std::memcmp(&got, want.at, sizeof want.at) == 0, "%s", what);
}

Floats magnitudes(Floats x) {
    for (float& value : x.at) value = std::fabs(value);
    return x;
}

__attribute__((noinline)) void test_float_arithmetic() {
    for (int round = 0; round < kRounds; ++round) {
        const Floats a, b, c;
        Floats want;
        for (int i = 0; i < 16; ++i) want.at[i] = std::fma(a.at[i], b.at[i], c.at[i]);
        check_floats(_mm512_fmadd_ps(load(a), load(b), load(c)), want, "fmadd");
        for (int i = 0; i < 16; ++i) want.at[i] = a.at[round % 16];
        check_floats(_mm512_set1_ps(a.at[round % 16]), want, "set1");
        // Operators on the vector types, as the executors use them.
        for (int i = 0; i < 16; ++i) want.at[i] = a.at[i] - b.at[i];
        check_floats(load(a) - load(b), want, "-");
        for (int i = 0; i < 16; ++i) want.at[i] = a.at[i] * b.at[i];
        check_floats(load(a) * load(b), want, "*");
        for (int i = 0; i < 16; ++i) want.at[i] = std::sqrt(std::fabs(a.at[i]));
        check_floats(_mm512_sqrt_ps(load(magnitudes(a))), want, "sqrt_ps");
        for (int i = 0; i < 16; ++i) want.at[i] = a.at[i] < b.at[i] ? a.at[i] : b.at[i];  // NaN: the second
        check_floats(_mm512_mask_min_ps(load(a), __mmask16(0xffff), load(a), load(b)), want, "min");
        float halves[16];
        _mm256_storeu_ps(halves, _mm512_castps512_ps256(load(a)));
        _mm256_storeu_ps(halves + 8, _mm512_extractf32x8_ps(load(a), 1));
        CHECK(std::memcmp(halves, a.at, sizeof halves) == 0, "halves");
    }
    // One rounding: (1 + 2^-12)^2 - 1 - 2^-11 is 2^-24, and 0 with two.
    const float near_one = 1 + std::ldexp(1.0f, -12);
    const __m512 fused =
        _mm512_fmadd_ps(_mm512_set1_ps(near_one), _mm512_set1_ps(near_one), _mm512_set1_ps(-1 - std::ldexp(1.0f, -11)));
    CHECK(_mm512_cmp_ps_mask(fused, _mm512_set1_ps(std::ldexp(1.0f, -24)), _CMP_EQ_OQ) == 0xffff, "fmadd rounds twice");
}

__attribute__((noinline)) void test_masks() {
    for (int round = 0; round < kRounds; ++round) {
        const Floats a, shuffled;
        Floats b = shuffled;
        for (int i = 0; i < 16; i += 3) b.at[i] = a.at[i];
        uint32_t below = 0, not_below = 0, equal = 0, at_most = 0;
        for (int i = 0; i < 16; ++i) {
            below |= uint32_t(a.at[i] < b.at[i]) << i;
            not_below |= uint32_t(!(a.at[i] < b.at[i])) << i;
            equal |= uint32_t(a.at[i] == b.at[i]) << i;
            at_most |= uint32_t(a.at[i] <= b.at[i]) << i;
        }
        CHECK(_mm512_cmp_ps_mask(load(a), load(b), _CMP_LT_OQ) == below);
        CHECK(_mm512_cmp_ps_mask(load(a), load(b), _CMP_NLT_UQ) == not_below);
        CHECK(_mm512_cmp_ps_mask(load(a), load(b), _CMP_EQ_OQ) == equal);
        CHECK(_mm512_cmp_ps_mask(load(a), load(b), _CMP_LE_OQ) == at_most);

        const Words m, other;
        Words n = other;
        for (int i = 0; i < 16; i += 3) n.at[i] = m.at[i];
        uint32_t above = 0, at_least = 0, same_word = 0;
        for (int i = 0; i < 16; ++i) {
            above |= uint32_t(m.at[i] > n.at[i]) << i;
            at_least |= uint32_t(m.at[i] >= n.at[i]) << i;
            same_word |= uint32_t(m.at[i] == n.at[i]) << i;
        }
        CHECK(_mm512_cmpgt_epi32_mask(load(m), load(n)) == above);
        CHECK(_mm512_cmpge_epi32_mask(load(m), load(n)) == at_least);
        CHECK(_mm512_cmpeq_epi32_mask(load(m), load(n)) == same_word);
    }
}

int32_t pair_product(const Shorts& a, const Shorts& b, int i) {
    const int64_t sum = int64_t(a.at[2 * i]) * b.at[2 * i] + int64_t(a.at[2 * i + 1]) * b.at[2 * i + 1];
    return int32_t(uint32_t(sum));  // only (-32768)^2 twice wraps
}

__attribute__((noinline)) void test_integer_products() {
    for (int round = 0; round < kRounds; ++round) {
        const Shorts a, b;
        const Words sum;
        Words want;
        for (int i = 0; i < 16; ++i) want.at[i] = pair_product(a, b, i);
        check_words(_mm512_madd_epi16(load(a), load(b)), want, "madd_epi16");
        for (int i = 0; i < 16; ++i) want.at[i] = int32_t(uint32_t(sum.at[i]) + uint32_t(pair_product(a, b, i)));
        check_words(_mm512_add_epi32(load(sum), _mm512_madd_epi16(load(a), load(b))), want, "add_epi32");
        for (int i = 0; i < 16; ++i) want.at[i] = sum.at[round % 16];
        check_words(_mm512_set1_epi32(sum.at[round % 16]), want, "set1_epi32");
    }
}

/// 64-bit products of 32-bit words and their halves, as Philox wants them.
__attribute__((noinline)) void test_wide_products() {
    for (int round = 0; round < kRounds; ++round) {
        const Words a, b;
        uint64_t products[8], upper[8], lower[8];
        for (int i = 0; i < 8; ++i) {
            products[i] = uint64_t(uint32_t(a.at[2 * i])) * uint32_t(b.at[2 * i]);
            upper[i] = products[i] >> 32;
            lower[i] = products[i] << 32;
        }
        const __m512i wide = _mm512_mul_epu32(load(a), load(b));
        const __m512i high = _mm512_srli_epi64(wide, 32), low = _mm512_slli_epi64(wide, 32);
        CHECK(std::memcmp(&wide, products, sizeof products) == 0, "mul_epu32");
        CHECK(std::memcmp(&high, upper, sizeof upper) == 0, "srli_epi64");
        CHECK(std::memcmp(&low, lower, sizeof lower) == 0, "slli_epi64");
        Words want;
        for (int i = 0; i < 16; ++i) want.at[i] = i % 2 ? b.at[i] : a.at[i];
        check_words(_mm512_mask_blend_epi32(0xaaaa, load(a), load(b)), want, "mask_blend_epi32");
    }
}

__attribute__((noinline)) void test_shuffles() {
    for (int round = 0; round < kRounds; ++round) {
        const Floats a, b;
        const Words index, x, y;
        Floats want;
        for (int i = 0; i < 16; ++i) want.at[i] = (i % 2 ? b : a).at[i / 4 * 4 + i % 4 / 2];
        check_floats(_mm512_unpacklo_ps(load(a), load(b)), want, "unpacklo_ps");
        for (int i = 0; i < 16; ++i) want.at[i] = (i % 2 ? b : a).at[i / 4 * 4 + 2 + i % 4 / 2];
        check_floats(_mm512_unpackhi_ps(load(a), load(b)), want, "unpackhi_ps");
        for (int i = 0; i < 16; ++i) want.at[i] = (i < 8 ? a : b).at[i % 8];
        check_floats(_mm512_shuffle_f32x4(load(a), load(b), 0x44), want, "shuffle_f32x4, low halves");
        for (int i = 0; i < 16; ++i) want.at[i] = (i < 8 ? a : b).at[8 + i % 8];
        check_floats(_mm512_shuffle_f32x4(load(a), load(b), 0xee), want, "shuffle_f32x4, high halves");
        for (int i = 0; i < 16; ++i) want.at[i] = (i < 8 ? a : b).at[i % 8 / 4 * 8 + i % 4];
        check_floats(_mm512_shuffle_f32x4(load(a), load(b), 0x88), want, "shuffle_f32x4, even quarters");
        for (int i = 0; i < 16; ++i) want.at[i] = (i < 8 ? a : b).at[4 + i % 8 / 4 * 8 + i % 4];
        check_floats(_mm512_shuffle_f32x4(load(a), load(b), 0xdd), want, "shuffle_f32x4, odd quarters");
        for (int i = 0; i < 16; ++i) want.at[i] = (index.at[i] & 16 ? b : a).at[index.at[i] & 15];
        check_floats(_mm512_permutex2var_ps(load(a), load(index), load(b)), want, "permutex2var_ps");
        Words moved;
        for (int i = 0; i < 16; ++i) moved.at[i] = (index.at[i] & 16 ? y : x).at[index.at[i] & 15];
        check_words(_mm512_permutex2var_epi32(load(x), load(index), load(y)), moved, "permutex2var_epi32");
    }
    Words counted;
    for (int i = 0; i < 16; ++i) counted.at[i] = 2 * i + 3;
    check_words(_mm512_add_epi32(_mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
                                 _mm512_set1_epi32(3)),
                counted, "setr_epi32, add_epi32");
}

// VNNI is an extension of its own: emulated always, executed where the CPU has it.
#if defined(ROTE_EMULATE_AVX512)
#define ROTE_VNNI __attribute__((noinline))
bool has_vnni() {
    return true;
}
#else
#define ROTE_VNNI __attribute__((noinline, target("avx512f,avx512vnni")))
bool has_vnni() {
    return __builtin_cpu_supports("avx512vnni");
}
#endif

ROTE_VNNI void add_pair_products(const Words& sum, const Shorts& a, const Shorts& b, Words& out) {
    const __m512i result =
        _mm512_dpwssd_epi32(_mm512_loadu_si512(sum.at), _mm512_loadu_si512(a.at), _mm512_loadu_si512(b.at));
    _mm512_storeu_si512(out.at, result);
}

void test_vnni() {
    for (int round = 0; round < kRounds; ++round) {
        const Shorts a, b;
        const Words sum;
        Words got;
        add_pair_products(sum, a, b, got);
        for (int i = 0; i < 16; ++i)
            CHECK(uint32_t(got.at[i]) == uint32_t(sum.at[i]) + uint32_t(pair_product(a, b, i)), "dpwssd_epi32");
    }
}

__attribute__((noinline)) void test_conversions() {
    for (int round = 0; round < kRounds; ++round) {
        const Words words;
        Floats floats, want;
        for (int i = 0; i < 16; ++i) want.at[i] = float(words.at[i]);
        check_floats(_mm512_cvtepi32_ps(load(words)), want, "cvtepi32_ps");

        Words rounded;
        for (int i = 0; i < 16; ++i) {  // to nearest, ties to even; out of range is the smallest integer
            const double value = std::nearbyint(double(floats.at[i]));
            rounded.at[i] = value >= -2147483648.0 && value < 2147483648.0 ? int32_t(value) : INT32_MIN;
        }
        check_words(_mm512_cvtps_epi32(load(floats)), rounded, "cvtps_epi32");

        const __m256i narrow = _mm512_cvtepi32_epi16(load(words));
        int16_t low[16];
        std::memcpy(low, &narrow, sizeof low);
        for (int i = 0; i < 16; ++i) CHECK(low[i] == int16_t(uint16_t(words.at[i])), "cvtepi32_epi16");

        const Lanes<uint8_t, 16> bytes;
        Words widened;
        for (int i = 0; i < 16; ++i) widened.at[i] = bytes.at[i];
        check_words(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.at))), widened,
                    "cvtepu8_epi32");
    }
}

__attribute__((noinline)) void test_gather() {
    std::vector<float> table(300);
    for (float& x : table) x = random_float();
    for (int round = 0; round < kRounds; ++round) {
        Words index;
        Floats want;
        for (int32_t& i : index.at) i = int32_t(uint32_t(i) % 300) - 100;
        for (int i = 0; i < 16; ++i) want.at[i] = table[size_t(index.at[i] + 100)];
        check_floats(_mm512_i32gather_ps(load(index), table.data() + 100, 4), want, "i32gather_ps");
    }
}

}  // namespace

int main() {
    if (detected_simd_level() < SimdLevel::avx512) {
        std::puts("avx512 intrinsics: skipped, this CPU has no AVX-512");
        return 77;
    }
    test_float_arithmetic();
    test_masks();
    test_shuffles();
    test_integer_products();
    test_wide_products();
    test_conversions();
    test_gather();
    if (has_vnni()) test_vnni();
    std::printf("avx512 intrinsics: ok (%s)\n", has_vnni() ? "with VNNI" : "without VNNI");
}
#else
int main() {
    std::puts("avx512 intrinsics: skipped, not x86");
    return 77;
}
#endif
