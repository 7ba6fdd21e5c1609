// augment/meaning/math.h: elementary functions in float64 from + - * / and fma alone, the same bits on host and device.
#pragma once

#include <cstdint>
#include <cstring>

#include "rote/host_device.h"
#include "rote/level.h"
#include "runtime/exp_series.h"

#if !defined(__CUDA_ARCH__)
#include <cmath>
#endif

namespace rote {
inline namespace ROTE_LEVEL {

ROTE_HD double bits_to_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

ROTE_HD uint64_t double_to_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

ROTE_HD double fused_multiply_add(double a, double b, double c) {
#if defined(__CUDA_ARCH__)
    return fma(a, b, c);
#else
    return std::fma(a, b, c);
#endif
}

/// Nearest integer, ties to even (Python's round), for |x| < 2^62.
ROTE_HD int64_t round_half_even(double x) {
    const int64_t whole = int64_t(x);  // toward zero
    const double rest = x - double(whole);
    if (rest > 0.5 || (rest == 0.5 && (whole & 1))) return whole + 1;
    if (rest < -0.5 || (rest == -0.5 && (whole & 1))) return whole - 1;
    return whole;
}

/// 2^x for -1022 <= x < 1024; arguments outside are clamped to that range.
ROTE_HD double exp2_exact(double x) {
    x = x < -1022.0 ? -1022.0 : (x > 1023.9999999999999 ? 1023.9999999999999 : x);
    const int64_t whole = round_half_even(x);
    const double t = (x - double(whole)) * 0.693147180559945309417;  // |t| <= ln(2) / 2
    const double value = exp_near_zero(t);
    // 2^whole in two factors, so that 2^1024 * 0.7.. stays finite.
    const int64_t half = whole / 2;
    return value * bits_to_double(uint64_t(1023 + half) << 52) * bits_to_double(uint64_t(1023 + whole - half) << 52);
}

/// log2(x) for finite normal x > 0.
ROTE_HD double log2_exact(double x) {
    const uint64_t bits = double_to_bits(x);
    int64_t exponent = int64_t(bits >> 52) - 1023;
    double mantissa = bits_to_double((bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull);
    if (mantissa > 1.41421356237309504880) {
        mantissa *= 0.5;
        exponent += 1;
    }
    // log(m) = 2 atanh(f), f = (m - 1) / (m + 1), |f| < 0.172; f carries its own rounding error along.
    const double numerator = mantissa - 1.0, denominator = mantissa + 1.0;
    const double f = numerator / denominator;
    const double lost = mantissa - (denominator - 1.0);  // what the sum m + 1 rounded away
    const double f_low = (fused_multiply_add(-f, denominator, numerator) - f * lost) / denominator;
    const double s = f * f;
    double p = 1.0 / 23.0;
    p = p * s + 1.0 / 21.0;
    p = p * s + 1.0 / 19.0;
    p = p * s + 1.0 / 17.0;
    p = p * s + 1.0 / 15.0;
    p = p * s + 1.0 / 13.0;
    p = p * s + 1.0 / 11.0;
    p = p * s + 1.0 / 9.0;
    p = p * s + 1.0 / 7.0;
    p = p * s + 1.0 / 5.0;
    p = p * s + 1.0 / 3.0;
    p = p * s;
    const double scale = 2.8853900817779268147, scale_low = 4.0710547481862066e-17;  // 2 / ln(2)
    const double high = f * scale;
    const double low = fused_multiply_add(f, scale, -high) + f * scale_low + f_low * scale + high * p;
    const double sum = double(exponent) + high;
    return sum + ((double(exponent) - sum) + high + low);
}

struct SinCos {
    double sin, cos;
};

/// Sine and cosine of an angle in degrees; exact at multiples of 90. Angles beyond 1e9 (and NaN) count as 0.
ROTE_HD SinCos sincos_degrees(double degrees) {
    if (!(degrees > -1e9 && degrees < 1e9)) degrees = 0.0;
    const int64_t quarter = round_half_even(degrees / 90.0);
    const double t = (degrees - 90.0 * double(quarter)) * 0.017453292519943295769;  // |t| <= pi / 4
    const double s = t * t;
    double p = 1.0 / 355687428096000.0;
    p = p * s - 1.0 / 1307674368000.0;
    p = p * s + 1.0 / 6227020800.0;
    p = p * s - 1.0 / 39916800.0;
    p = p * s + 1.0 / 362880.0;
    p = p * s - 1.0 / 5040.0;
    p = p * s + 1.0 / 120.0;
    p = p * s - 1.0 / 6.0;
    const double sine = t + t * (s * p);
    double q = 1.0 / 20922789888000.0;
    q = q * s - 1.0 / 87178291200.0;
    q = q * s + 1.0 / 479001600.0;
    q = q * s - 1.0 / 3628800.0;
    q = q * s + 1.0 / 40320.0;
    q = q * s - 1.0 / 720.0;
    q = q * s + 1.0 / 24.0;
    const double half = 0.5 * s, high = 1.0 - half;
    const double cosine = high + ((1.0 - high - half) + s * s * q);
    switch (quarter & 3) {
        case 0:
            return {sine, cosine};
        case 1:
            return {cosine, -sine};
        case 2:
            return {-sine, -cosine};
        default:
            return {-cosine, sine};
    }
}

}  // namespace ROTE_LEVEL
}  // namespace rote
