// rote/dtype.h: element types, and the 16-bit conversions in integers that host and device share.
#pragma once

#include <cstdint>
#include <cstring>

#include "rote/error.h"
#include "rote/host_device.h"

namespace rote {

/// Values are part of the binding contract (python/rote/ops/library.py).
enum class DType : int32_t { float32 = 0, float16 = 1, bfloat16 = 2, float64 = 3, uint8 = 4 };

struct Half {
    uint16_t bits;
};
struct BFloat16 {
    uint16_t bits;
};

ROTE_HD uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

ROTE_HD float float_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/// Round to nearest, ties to even; NaN stays a (quiet) NaN.
ROTE_HD BFloat16 to_bfloat16(float value) {
    const uint32_t bits = float_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return {uint16_t((bits >> 16) | 0x40u)};
    return {uint16_t((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

/// Round to nearest, ties to even, with subnormals and overflow to infinity; in integers, so that every
/// executor gives the same bits.
ROTE_HD Half to_half(float value) {
    const uint32_t bits = float_bits(value);
    const uint32_t sign = (bits >> 16) & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude >= 0x47800000u) {  // 65536 and above, inf, NaN
        const bool nan = magnitude > 0x7f800000u;
        return {uint16_t(sign | (nan ? 0x7e00u | ((magnitude >> 13) & 0x3ffu) : 0x7c00u))};
    }
    if (magnitude < 0x38800000u) {  // below the smallest normal half, 2^-14
        if (magnitude < 0x33000000u) return {uint16_t(sign)};
        const uint32_t exponent = magnitude >> 23;
        const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
        const uint32_t shift = 126u - exponent;  // 14..24
        const uint32_t kept = mantissa >> shift;
        const uint32_t rest = mantissa & ((1u << shift) - 1u);
        const uint32_t half = 1u << (shift - 1u);
        return {uint16_t(sign | (kept + (rest > half || (rest == half && (kept & 1u)))))};
    }
    const uint32_t rebased = magnitude - 0x38000000u;
    return {uint16_t(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13))};
}

ROTE_HD float to_float(BFloat16 value) {
    return float_from_bits(uint32_t(value.bits) << 16);
}

ROTE_HD float to_float(Half value) {
    const uint32_t sign = uint32_t(value.bits & 0x8000u) << 16;
    const uint32_t exponent = (value.bits >> 10) & 0x1fu;
    uint32_t mantissa = value.bits & 0x3ffu;
    if (exponent == 0x1fu) return float_from_bits(sign | 0x7f800000u | (mantissa << 13));
    if (exponent != 0) return float_from_bits(sign | ((exponent + 112u) << 23) | (mantissa << 13));
    if (mantissa == 0) return float_from_bits(sign);
    uint32_t shift = 0;
    while (!(mantissa & 0x400u)) {
        mantissa <<= 1;
        ++shift;
    }
    return float_from_bits(sign | ((113u - shift) << 23) | ((mantissa & 0x3ffu) << 13));
}

inline int64_t dtype_bytes(DType dtype) {
    switch (dtype) {
        case DType::float64:
            return 8;
        case DType::float32:
            return 4;
        case DType::float16:
        case DType::bfloat16:
            return 2;
        case DType::uint8:
            return 1;
    }
    throw ArgumentError(concat("dtype: unknown code ", int32_t(dtype)));
}

/// Calls fn with a value of the C++ element type of a floating dtype.
template <class Fn>
decltype(auto) visit_float_dtype(DType dtype, Fn&& fn) {
    switch (dtype) {
        case DType::float64:
            return fn(double{});
        case DType::float32:
            return fn(float{});
        case DType::float16:
            return fn(Half{});
        case DType::bfloat16:
            return fn(BFloat16{});
        default:
            break;
    }
    throw ArgumentError(concat("dtype: wanted float64, float32, float16 or bfloat16, got code ", int32_t(dtype)));
}

}  // namespace rote
