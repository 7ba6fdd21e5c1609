// runtime/exp_series.h: e^t near zero, the same bits everywhere; host and device.
#pragma once

#include "rote/host_device.h"
#include "rote/level.h"

namespace rote {
inline namespace ROTE_LEVEL {

/// e^t for |t| <= ln(2) / 2 and a little, by its Taylor series in float64; what is cut off is below 2^-57 of it.
ROTE_HD double exp_near_zero(double t) {
    double p = 1.0 / 6227020800.0;
    p = p * t + 1.0 / 479001600.0;
    p = p * t + 1.0 / 39916800.0;
    p = p * t + 1.0 / 3628800.0;
    p = p * t + 1.0 / 362880.0;
    p = p * t + 1.0 / 40320.0;
    p = p * t + 1.0 / 5040.0;
    p = p * t + 1.0 / 720.0;
    p = p * t + 1.0 / 120.0;
    p = p * t + 1.0 / 24.0;
    p = p * t + 1.0 / 6.0;
    p = p * t + 0.5;
    return 1.0 + (t + (t * t) * p);
}

}  // namespace ROTE_LEVEL
}  // namespace rote
