// record/elementary.h: e^x and log(1 + x) in float64 from + - * / alone, the same bits on host and device, without
// branches where a compiler should make vectors of them.
#pragma once

#include <cstdint>
#include <cstring>

#include "rote/host_device.h"
#include "rote/level.h"
#include "runtime/exp_series.h"

namespace rote {
namespace record {
inline namespace ROTE_LEVEL {

/// e^x for x <= 0, to about 2^-52 of it; 0 below -708 (at 2^-1021) and for NaN.
ROTE_HD double exp_of_nonpositive(double x) {
    const double clamped = x > -708.0 ? x : -708.0;
    const double shift = 6755399441055744.0;  // 1.5 x 2^52: adding it rounds to whole numbers
    const double shifted = clamped * 1.44269504088896338700 + shift;
    const double whole = shifted - shift;
    const double t = (clamped - whole * 6.93147180369123816490e-01) - whole * 1.90821492927058770002e-10;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;  // 2^whole, from the low bits of the shifted number
    double power;
    memcpy(&power, &bits, sizeof power);
    const double value = exp_near_zero(t) * power;
    return x > -708.0 ? value : 0.0;
}

/// log(1 + x) for 0 <= x < 2^1022, to about 2^-51 of it.
ROTE_HD double log_of_one_plus(double x) {
    const double u = 1.0 + x;
    uint64_t bits;
    memcpy(&bits, &u, sizeof bits);
    int64_t exponent = int64_t(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull;
    double mantissa;
    memcpy(&mantissa, &bits, sizeof mantissa);
    if (mantissa > 1.41421356237309504880) {
        mantissa *= 0.5;
        exponent += 1;
    }
    // log(m) = 2 atanh(f), f = (m - 1) / (m + 1), |f| < 0.172.
    const double f = (mantissa - 1.0) / (mantissa + 1.0), s = f * f;
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
    const double twice = 2.0 * f;
    const double of_mantissa = twice + twice * (s * p);
    const double k = double(exponent);
    // What the sum 1 + x rounded away, at the slope of the logarithm there.
    const double lost = x < u ? x - (u - 1.0) : 0.0;
    const double rest = (exponent < 53 ? lost / u : 0.0) + k * 1.90821492927058770002e-10;
    return k * 6.93147180369123816490e-01 + (of_mantissa + rest);
}

}  // namespace ROTE_LEVEL
}  // namespace record
}  // namespace rote
