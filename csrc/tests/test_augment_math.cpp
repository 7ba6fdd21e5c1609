// tests/test_augment_math.cpp: elementary functions against libm, the pixel conversion, resize taps.
#include <cfloat>
#include <cmath>

#include "augment/meaning/affine.h"
#include "augment/meaning/color.h"
#include "augment/meaning/jitter.h"
#include "augment/meaning/math.h"
#include "augment/meaning/noise.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"
#include "check.h"

using namespace rote;

namespace {

/// Distance in units of the last place of the exact value.
double ulps(double value, long double exact) {
    int exponent;
    std::frexp(double(exact), &exponent);
    return double(std::fabs((long double)value - exact) / std::ldexp(1.0L, exponent - 53));
}

void test_exp2() {
    double worst = 0;
    for (int i = -200000; i <= 200000; ++i) {
        const double x = i * 1.37e-4 + 1e-9 * (i % 97);
        worst = std::fmax(worst, ulps(exp2_exact(x), std::exp2((long double)x)));
    }
    CHECK(worst < 1.0, "exp2 is off by %g ulp", worst);
    for (int k = -1022; k < 1024; ++k) CHECK(exp2_exact(k) == std::ldexp(1.0, k), "2^%d", k);
    CHECK(exp2_exact(1e9) <= DBL_MAX && exp2_exact(-1e9) == std::ldexp(1.0, -1022));
}

void test_log2() {
    double worst = 0;
    for (int i = 1; i <= 400000; ++i) {
        const double x = i < 200000 ? i * 1.1e-5 : 1.0 + (i - 300000) * 1e-9;
        if (x == 1.0) continue;
        worst = std::fmax(worst, ulps(log2_exact(x), std::log2((long double)x)));
    }
    CHECK(worst < 1.0, "log2 is off by %g ulp", worst);
    for (int k = -1022; k < 1024; ++k) CHECK(log2_exact(std::ldexp(1.0, k)) == k, "log2 of 2^%d", k);
}

void test_sincos() {
    double worst = 0;
    const long double radians = std::acos(-1.0L) / 180.0L;
    for (int i = -300000; i <= 300000; ++i) {
        const double degrees = i * 0.00123;
        const SinCos value = sincos_degrees(degrees);
        // Reduced in degrees, where it is exact: pi carries an error that cancellation would show.
        const long double quarter = std::nearbyint((long double)degrees / 90);
        const long double rest = ((long double)degrees - 90 * quarter) * radians;
        const long double sines[] = {std::sin(rest), std::cos(rest), -std::sin(rest), -std::cos(rest)};
        const int turn = int(quarter) & 3;
        worst = std::fmax(worst, ulps(value.sin, sines[turn]));
        worst = std::fmax(worst, ulps(value.cos, sines[(turn + 1) & 3]));
    }
    CHECK(worst < 2.0, "sine and cosine are off by %g ulp", worst);
    for (int quarter = -8; quarter <= 8; ++quarter) {
        const SinCos value = sincos_degrees(90.0 * quarter);
        const double sines[] = {0, 1, 0, -1};
        CHECK(value.sin == sines[quarter & 3] && value.cos == sines[(quarter + 1) & 3], "%d degrees", 90 * quarter);
    }
    CHECK(sincos_degrees(NAN).cos == 1.0 && sincos_degrees(INFINITY).cos == 1.0);
}

void test_rounding() {
    for (int i = -4001; i <= 4001; ++i) CHECK(round_half_even(i * 0.25) == std::nearbyint(i * 0.25), "%g", i * 0.25);
}

void test_unit_from_byte() {
    for (int byte = 0; byte < 256; ++byte)
        CHECK(unit_from_byte<float>(float(byte)) == float(byte) / 255.0f, "byte %d", byte);
}

/// Weights are a partition of one, on pixels there are; equal sizes copy.
void test_taps() {
    float weights[256];
    for (const Interpolation interpolation : {Interpolation::bilinear, Interpolation::bicubic})
        for (const bool antialias : {false, true})
            for (int out : {1, 2, 7, 16, 32, 33})
                for (int extent = 1; extent <= (out == 1 ? 60 : 100); ++extent) {
                    const ResizeFilter filter{interpolation, antialias};
                    const int taps = tap_count(filter, extent, out);
                    CHECK(taps <= 256);
                    for (int d = 0; d < out; ++d) {
                        const int first = resize_taps(filter, extent, out, d, taps, weights, 1);
                        double total = 0, beyond = 0, own = 0;
                        for (int t = 0; t < taps; ++t) {
                            total += weights[t];
                            beyond += first + t >= extent ? std::fabs(weights[t]) : 0;
                            own += first + t == d ? weights[t] : 0;
                        }
                        CHECK(first >= 0 && first < extent && std::fabs(total - 1) < 1e-6 && beyond == 0,
                              "%d -> %d at %d", extent, out, d);
                        if (extent == out) CHECK(own == 1 && total == 1);
                    }
                }
}

/// Without shrinking, both bilinear filters interpolate between the two neighbours of the centre.
void test_bilinear_taps() {
    float weights[2];
    for (const bool antialias : {false, true})
        for (int out : {1, 7, 16, 33})
            for (int extent = 1; extent <= out; ++extent)
                for (int d = 0; d < out; ++d) {
                    const int first = resize_taps({Interpolation::bilinear, antialias}, extent, out, d, 2, weights, 1);
                    double source = (d + 0.5) * extent / out - 0.5;
                    source = source < 0 ? 0 : source;
                    const double low = std::floor(source);
                    const double upper = low + 1 > extent - 1 ? 0 : source - low;
                    double got_upper = 0;
                    for (int t = 0; t < 2; ++t) got_upper += first + t == int(low) + 1 ? weights[t] : 0;
                    CHECK(std::fabs(got_upper - upper) < 1e-6, "%d -> %d at %d: %g, %g", extent, out, d, got_upper,
                          upper);
                }
}

/// Halfway between pixels, the cubic kernels weigh -1/16, 9/16 (a = -1/2) and -3/32, 19/32 (a = -3/4).
void test_bicubic_taps() {
    float weights[4];
    for (const bool antialias : {false, true}) {
        const int first = resize_taps({Interpolation::bicubic, antialias}, 9, 27, 13, 4, weights, 1);
        CHECK(first == 3 && weights[1] == 1 && weights[0] == 0 && weights[2] == 0 && weights[3] == 0);
        const double outer = antialias ? -1 / 16.0 : -3 / 32.0, inner = 0.5 - outer;
        const double wanted[] = {outer, inner, inner, outer};
        const int middle = resize_taps({Interpolation::bicubic, antialias}, 8, 9, 4, 4, weights, 1);
        CHECK(middle == 2);
        for (int t = 0; t < 4; ++t) CHECK(std::fabs(weights[t] - wanted[t]) < 1e-7, "%g", double(weights[t]));
    }
    // Plain: neighbours beyond the border add their weights to the border's pixel.
    const int first = resize_taps({Interpolation::bicubic, false}, 4, 8, 0, 4, weights, 1);
    CHECK(first == 0 && weights[0] > 1 && weights[1] < 0 && weights[2] == 0 && weights[3] == 0);
}

/// The whole number below d * extent / out, or one less where torch's float32 quotient rounds down.
void test_nearest_source() {
    for (int out : {1, 5, 32, 47})
        for (int extent : {1, 3, 32, 33, 94})
            for (int d = 0, last = 0; d < out; ++d) {
                const int source = nearest_source(extent, out, d);
                CHECK(source >= last && source < extent);
                CHECK(source == d * extent / out || source == d * extent / out - 1);
                if (extent % out == 0) CHECK(source == d * (extent / out));
                last = source;
            }
}

void test_central_start() {
    CHECK(central_start(10, 4) == 3 && central_start(9, 4) == 2 && central_start(11, 4) == 4);
    CHECK(central_start(4, 4) == 0 && central_start(4, 7) == -1 && central_start(4, 8) == -2);
}

void test_padded_index() {
    const int expected[4][11] = {{-1, -1, -1, 0, 1, 2, 3, -1, -1, -1, 0},
                                 {0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 0},
                                 {3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 0},
                                 {2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0}};
    for (int mode = 0; mode < 4; ++mode)
        for (int i = 0; i < 10; ++i)
            CHECK(padded_index(i - 3, 4, mode) == expected[mode][i], "mode %d at %d", mode, i - 3);
}

/// Normal numbers over the whole range of words, the far tail too: below 2e-6 off their definition.
void test_normals() {
    double worst_radius = 0, worst_pair = 0;
    const auto check_radius = [&](uint32_t word) {
        const float rounded = float(word) * 0x1p-32f + 0x1p-33f;
        const long double exact = std::sqrt(-2.0L * std::log((long double)rounded));
        worst_radius = std::fmax(worst_radius, double(std::fabs(normal_radius<ScalarLanes>(word) - exact)));
    };
    const long double pi = std::acos(-1.0L);
    const auto check_pair = [&](uint32_t word) {
        float first, second;
        normal_pair<ScalarLanes>(6.75f, word, first, second);
        long double angle = (word & 0x1fffffffu) * 0x1p-31L * pi;
        angle = word & 0x20000000u ? pi / 2 - angle : angle;
        const long double x = 6.75L * std::cos(angle) * (word & 0x80000000u ? -1 : 1);
        const long double y = 6.75L * std::sin(angle) * (word & 0x40000000u ? -1 : 1);
        worst_pair = std::fmax(worst_pair, double(std::fmax(std::fabs(first - x), std::fabs(second - y))));
    };
    for (uint32_t i = 0; i < 100000; ++i) {
        for (uint32_t word : {i, 0xffffffffu - i, 0xb504f333u - 50000 + i, i * 42949u}) {
            check_radius(word);
            check_pair(word);
        }
        check_pair(i * 42949u + 0x20000000u);
    }
    CHECK(worst_radius < 1e-6 && worst_pair < 1.5e-6, "radius off by %g, pair by %g", worst_radius, worst_pair);
    CHECK(normal_radius<ScalarLanes>(0) > 6.76f && normal_radius<ScalarLanes>(0xffffffffu) == 0.0f);
}

/// These numbers belong to version 1 of the addresses.
void test_normals_are_fixed() {
    const float expected[] = {-0x1.aed9c6p+0f, 0x1.67963ap-1f,  0x1.e0fbfp-1f,
                              -0x1.34182cp+0f, -0x1.34045ap-1f, -0x1.aab4d2p-1f};
    const NoiseKey key{0x01234567u, 0x89abcdefu};
    for (int i = 0; i < 6; ++i)
        CHECK(standard_normal(key, i % 3, 37 * i) == expected[i], "%a", standard_normal(key, i % 3, 37 * i));
}

}  // namespace

int main() {
    test_exp2();
    test_log2();
    test_sincos();
    test_rounding();
    test_unit_from_byte();
    test_taps();
    test_bilinear_taps();
    test_bicubic_taps();
    test_nearest_source();
    test_central_start();
    test_padded_index();
    test_normals();
    test_normals_are_fixed();
    std::puts("augment math: ok");
}
