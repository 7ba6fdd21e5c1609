// augment/cpu/scratch.h: how a thread's scratch memory is cut up for the vector executors.
#pragma once

#include <cstdint>

#include "rote/augment.h"

namespace rote {

/// Byte offsets into scratch; every part starts on a 64-byte boundary and may be overrun by one 64-byte vector.
struct ScratchLayout {
    int64_t plane_pitch;  ///< floats from one plane to the next
    int64_t planes;       ///< float [channels, plane_pitch], the image as it stands
    int64_t spare;        ///< the same again: what an operation reads from or writes to besides
    int64_t partner;      ///< and again, for the partner of a mixing operation, where the program has one
    int64_t bytes;        ///< uint8 [channels, in_height, in_width], where the bank's columns are not contiguous
    int64_t byte_rows;    ///< uint8 [kMaxGatherTaps + 1, byte_pitch]
    int64_t byte_pitch;
    int64_t float_rows;  ///< float [6, float_pitch]
    int64_t float_pitch;
    int64_t columns, rows;  ///< int32 source indices per axis
    int64_t gather_index;   ///< int32 [taps, index_pitch]
    int64_t index_pitch;
    int64_t gather_controls;  ///< shuffle controls and fills [kMaxGatherTaps, control_pitch]
    int64_t control_pitch;
    int64_t taps_x, taps_y;   ///< taps computed per view (large images)
    int64_t coordinates;      ///< 4 x int32 [index_pitch]
    int64_t texels;           ///< float [height + 3, width + 3, 4], for affine maps
    int64_t byte_tables;  ///< uint16 [channels, 256]
    int64_t total;
};

constexpr int kMaxGatherTaps = 6;     // more than that: pixel by pixel
constexpr int kMaxGatherChunks = 15;  // 16-byte chunks a row shuffle may draw from; index 255 stays free for "none"

ScratchLayout scratch_layout(const AugmentPlan& plan);

}  // namespace rote
