// augment/program/kinds.h: what the kinds of operations have, as a table.
#pragma once

#include "rote/augment.h"
#include "rote/level.h"

namespace rote {

/// Where the code of a kind stands: each group has its files in program/, cpu/ and cuda/.
enum class AugmentGroup { geometry, color, tone, noise, mix };

AugmentGroup group_of(AugmentKind kind);

struct KindInfo {
    AugmentKind kind;
    const char* name;
    int32_t constants;  ///< numbers the caller gives
    int32_t row_words;  ///< words of its own fields; -1: depends on the constants
};

/// Null where no kind has that code.
const KindInfo* find_kind(int32_t code);

/// Words of a checked step's own fields.
int32_t row_words_of(const AugmentStep& step);

/// Operations that bring in a second image; its row, the words before the step's own, stands behind the step's fields.
inline namespace ROTE_LEVEL {
inline bool mixes(AugmentKind kind) {
    return kind == AugmentKind::mixup || kind == AugmentKind::cutmix;
}
}  // namespace ROTE_LEVEL

/// Operations behind which pixels need not lie in [0, 1], where those of colour must not stand.
bool leaves_unit_range(const AugmentStep& step);

}  // namespace rote
