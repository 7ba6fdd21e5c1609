// augment/sampling/uniform.h: uniform numbers between two bounds.
#pragma once

#include "rote/address.h"
#include "rote/level.h"

namespace rote {
inline namespace ROTE_LEVEL {

ROTE_HD double uniform_between(AddressStream& random, uint32_t slot, double low, double high) {
    return low + (high - low) * random.uniform(slot);
}

}  // namespace ROTE_LEVEL
}  // namespace rote
