// augment/meaning/row.h: the 4-byte words of a parameter row.
//
// Whoever reads parameters makes them safe: whatever a row holds, no index leaves the image. (The CPU entry refuses bad
// rows with an error before; on the device this is the protection.)
#pragma once

#include <cstdint>
#include <cstring>

#include "rote/host_device.h"
#include "rote/level.h"

namespace rote {
inline namespace ROTE_LEVEL {

ROTE_HD int32_t clamp_int(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : (value > high ? high : value);
}

ROTE_HD float word_float(int32_t word) {
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

ROTE_HD int32_t float_word(float value) {
    int32_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

}  // namespace ROTE_LEVEL
}  // namespace rote
