// augment/cpu/normalization.cpp: which normalizations can do without a division.
#include "augment/cpu/normalization.h"

#include <cmath>
#include <map>
#include <mutex>

#include "runtime/float_env.h"
#include "runtime/simd.h"

namespace rote {
namespace {

constexpr float kLeast = 0x1p-20f, kMost = 0x1p20f;

bool is_power_of_two(float value) {
    int exponent;
    return std::frexp(value, &exponent) == 0.5f;
}

/// 1 / std as high + low: high toward zero, so that low is positive and an infinite y stays infinite.
void split_reciprocal(float std, float* high, float* low) {
    const double inverse = 1.0 / double(std);
    *high = float(inverse);
    if (double(*high) > inverse) *high = std::nextafter(*high, 0.0f);
    *low = float((1.0 - double(*high) * double(std)) / double(std));  // the difference is exact
}

bool tried_and_exact(float std, float high, float low) {
#if defined(ROTE_X86)
    if (detected_simd_level() < SimdLevel::avx2) return false;
    static std::mutex mutex;
    static std::map<float, bool> known;
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = known.find(std);
    if (found != known.end()) return found->second;
    return known[std] = reciprocal_is_exact(std, high, low);
#else
    (void)std, (void)high, (void)low;
    return false;
#endif
}

}  // namespace

Normalization prepare_normalization(const AugmentStep& step, int32_t channels) {
    const FloatEnvironment environment;
    Normalization result;
    bool scales = true, multiplies = true;
    for (int c = 0; c < channels && c < 3; ++c) {
        const float mean = float(step.constants[c]), std = float(step.constants[3 + c]);
        result.mean[c] = mean;
        result.std[c] = std;
        split_reciprocal(std, &result.high[c], &result.low[c]);
        const bool moderate = std >= kLeast && std <= kMost;
        scales = scales && moderate && is_power_of_two(std);
        // y = x - mean is 0 or at least 2^-44, whatever x: y * low is a normal number.
        multiplies = multiplies && moderate && !is_power_of_two(std) && std::fabs(mean) >= kLeast &&
                     std::fabs(mean) <= kMost && tried_and_exact(std, result.high[c], result.low[c]);
    }
    if (scales) result.method = NormalizationMethod::scale;
    if (multiplies) result.method = NormalizationMethod::reciprocal;
    return result;
}

}  // namespace rote
