// knn/cuda/hopper_layout.h: where Hopper's tensor cores find operands and leave results; arithmetic alone, host and
// device.
//
// Sources: PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions": register fragments of wgmma.m64nNk16, canonical
// K-major layout with 128-byte swizzling, matrix descriptor format. csrc/tests/test_knn_hopper_layout.cpp checks them.
#pragma once

#include <cstdint>

#include "rote/host_device.h"

// Loops over registers, whose indices must be known at compile time.
#if defined(__CUDA_ARCH__)
#define ROTE_UNROLL _Pragma("unroll")
#else
#define ROTE_UNROLL
#endif

namespace rote::hopper {

constexpr int kWarpThreads = 32;
constexpr int kGroupWarps = 4;  // a warpgroup: four warps that issue wgmma together
constexpr int kGroupThreads = kGroupWarps * kWarpThreads;

// One shared-memory tile holds rows of 64 halves: 128 bytes, the width of the widest swizzle. A row is one row of Q or
// R (both operands are K-major as they lie), eight rows are one swizzle atom.
constexpr int kChunkWidth = 64;  // halves of a row in one tile
constexpr int kChunkRowBytes = 2 * kChunkWidth;
constexpr int kAtomRows = 8;
constexpr int kAtomBytes = kAtomRows * kChunkRowBytes;  // tiles start at multiples of it
constexpr int kStepWidth = 16;                          // k of one wgmma
constexpr int kMmaRows = 64;                            // m of one wgmma

/// What a group multiplies at a time: kTiles products of 64 rows, each kColumns wide (m64n128k16 or m64n256k16); 128
/// sums per thread in either shape. A thread has two rows of each product, its row slots, and two columns in every
/// eight.
template <int kTiles>
struct Fragment {
    static constexpr int kRowTiles = kTiles, kColumns = 256 / kTiles;
    static constexpr int kSums = kMmaRows * kColumns / kGroupThreads;  // of a product, per thread
    static constexpr int kRowSlots = 2 * kTiles, kColumnBlocks = kColumns / 8;
    using Sums = float[kTiles][kSums];
};

constexpr int tile_bytes(int rows) {
    return rows * kChunkRowBytes;
}

/// Byte address under 128-byte swizzling: the 16-byte column (bits 4-6) is xored with the row of the atom (bits 7-9).
ROTE_HD constexpr uint32_t swizzle_128b(uint32_t address) {
    return address ^ ((address >> 3) & 0x70u);
}

/// Byte offset of element (row, column) within a tile, as TMA writes it and wgmma reads it.
ROTE_HD constexpr uint32_t tile_offset(uint32_t row, uint32_t column) {
    return swizzle_128b(row * kChunkRowBytes + column * 2);
}

/// Descriptor of a K-major operand at a shared-memory address whose swizzle atoms start at multiples of 1024 bytes:
/// bits 0-13 start address, 16-29 leading offset (not used by swizzled K-major, 1 by convention), 32-45 offset from
/// eight rows to the next eight, 49-51 base offset 0, 62-63 swizzle mode 1 (128 bytes); offsets in units of 16 bytes.
/// The upper word is a constant, and offsets within shared memory never carry into it.
constexpr uint32_t kDescriptorHigh = uint32_t(kAtomBytes >> 4) | (1u << 30);

ROTE_HD constexpr uint32_t descriptor_low(uint32_t shared_address) {
    return ((shared_address & 0x3ffffu) >> 4) | (1u << 16);
}

/// Added to the lower word: `rows` (a multiple of 8) further down, `steps` of 16 halves further along a row. The
/// address moves inside the atom for steps; the hardware swizzles the sum.
ROTE_HD constexpr uint32_t descriptor_offset(int rows, int steps) {
    return uint32_t(rows * kChunkRowBytes + steps * kStepWidth * 2) >> 4;
}

/// Place of accumulator `index` of thread `thread` of the warpgroup in the result of one product, of any width.
struct ResultPlace {
    int row, column;
};

ROTE_HD constexpr ResultPlace accumulator_place(int thread, int index) {
    const int warp = thread / kWarpThreads, lane = thread % kWarpThreads;
    return {warp * 16 + lane / 4 + 8 * ((index / 2) % 2), (index / 4) * 8 + (lane % 4) * 2 + index % 2};
}

/// The inverse: accumulator of its thread that holds (half of the row pair, pair of columns, element of the pair).
ROTE_HD constexpr int accumulator_index(int row_half, int column_block, int element) {
    return column_block * 4 + row_half * 2 + element;
}

}  // namespace rote::hopper
