// knn/cuda/shapes.h: the shapes that packing, planning and the matrix passes agree on.
#pragma once

namespace rote {

constexpr int kBlockReferences = 256;  // references that share a frame, a scale and a bound; the pass sees whole blocks
constexpr int kTileQueries = 128;      // packed queries are padded to a multiple of it
constexpr int kDepthStep = 64;         // rows are padded with zeros to a multiple of it (128 bytes)
constexpr int kMostFrames = 32;        // centres that sorted blocks choose from

}  // namespace rote
