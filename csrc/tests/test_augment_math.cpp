// tests/test_augment_math.cpp: elementary functions against libm, the pixel conversion, resize taps.
#include <cfloat>
#include <cmath>

#include "augment/meaning/affine.h"
#include "augment/meaning/jitter.h"
#include "augment/meaning/resize_taps.h"
#include "augment/meaning/windows.h"
#include "augment/meaning/math.h"
#include "augment/meaning/color.h"
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

/// Weights are a partition of one; without shrinking they are plain bilinear interpolation.
void test_taps() {
    float weights[64];
    for (int out : {1, 7, 16, 32, 33})
        for (int extent = 1; extent <= 100; ++extent) {
            const int taps = tap_count(extent, out);
            CHECK(taps <= 64 || out == 1);
            if (taps > 64) continue;
            for (int d = 0; d < out; ++d) {
                const int first = resize_taps(extent, out, d, taps, weights, 1);
                double total = 0;
                for (int t = 0; t < taps; ++t) total += weights[t];
                CHECK(first >= 0 && first < extent && std::fabs(total - 1) < 1e-6, "%d -> %d at %d", extent, out, d);
                if (extent == out) CHECK(first == d && weights[0] == 1 && weights[1] == 0);
                if (extent > out) continue;
                double source = (d + 0.5) * extent / out - 0.5;
                source = source < 0 ? 0 : source;
                const double low = std::floor(source);
                const double upper = low + 1 > extent - 1 ? 0 : source - low;
                double got_upper = 0;
                for (int t = 0; t < taps; ++t) got_upper += first + t == int(low) + 1 ? weights[t] : 0;
                CHECK(std::fabs(got_upper - upper) < 1e-6, "%d -> %d at %d: %g, %g", extent, out, d, got_upper, upper);
            }
        }
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

}  // namespace

int main() {
    test_exp2();
    test_log2();
    test_sincos();
    test_rounding();
    test_unit_from_byte();
    test_taps();
    test_padded_index();
    std::puts("augment math: ok");
}
