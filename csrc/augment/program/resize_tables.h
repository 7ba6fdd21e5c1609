// augment/program/resize_tables.h: resize taps of every crop extent, computed once per program.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/meaning/resize_taps.h"
#include "rote/augment.h"

namespace rote {

/// Taps of one axis: tap t of output d reads source min(first[d] + t, extent - 1) with weight weights[t * pitch + d].
struct TapTable {
    int32_t taps, pitch;
    const int32_t* first;
    const float* weights;
};

/// For extents 1..in (a Resize: in alone) of an axis that becomes `out` pixels; rows padded so that whole vectors may
/// be read.
struct AxisTables {
    ResizeFilter filter{};
    int32_t in = 0, out = 0;
    std::vector<int64_t> offsets;  // [in + 1] into words, -1 where the extent is computed per view
    std::vector<int32_t> words;    // first[pitch], then weights[taps][pitch] as float32
};

/// One entry for each bilinear or bicubic resize of the plan, indexed by step. Columns also mirrored, so that a flip
/// that follows the resize costs nothing.
struct ResizeTables {
    AxisTables rows[kMaxAugmentSteps], columns[kMaxAugmentSteps], mirrored[kMaxAugmentSteps];
};

void build_resize_tables(const AugmentPlan& plan, ResizeTables* tables);

/// 4-byte words of scratch `find_taps` may need for any extent of this axis.
int64_t tap_scratch_words(const ResizeFilter& filter, int32_t in, int32_t out);

/// The taps of one extent, from the table or computed into `scratch`.
TapTable find_taps(const AxisTables& axis, int32_t extent, bool mirror, int32_t* scratch);

}  // namespace rote
