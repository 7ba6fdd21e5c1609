// knn/cuda/sm80.cu: the matrix pass on mma.sync. A block of threads keeps a tile of queries in shared memory where it
// fits, and multiplies it with one run of reference tiles after another; the epilogue compares and does nothing else.
#include <cuda_runtime.h>

#include <algorithm>

#include "knn/cuda/launch.cuh"
#include "knn/cuda/mma.cuh"
#include "knn/cuda/pass.cuh"

namespace rote {
namespace {

constexpr int kPassThreads = 256;
constexpr int kTileColumns = 128;  // references of a tile, half a block
constexpr int kTilesPerBlock = kBlockReferences / kTileColumns;
constexpr int kWarpRows = 64, kWarpColumns = 32;  // of the tile, per warp: 2 x 4 warps
constexpr int kRowSteps = kWarpRows / 16, kColumnSteps = kWarpColumns / 8;
constexpr int kSlabBytes = kTileColumns * kDepthStep * 2;  // 64 deep: rows of 128 bytes, queries and references alike
constexpr int kChunksPerThread = kSlabBytes / 16 / kPassThreads;
constexpr int kStages = 3;

// Rows of a slab are 128 bytes; their eight 16-byte chunks are permuted by the row, so that neither copies nor fragment
// loads meet in a bank.
__device__ __forceinline__ int chunk_offset(int row, int chunk) {
    return row * 128 + ((chunk ^ (row & 7)) << 4);
}

/// Starts copying 128 rows, `slab` * 64 elements deep, from `rows` on.
__device__ __forceinline__ void copy_slab(uint8_t* shared, const uint16_t* rows, int64_t depth, int slab) {
#pragma unroll
    for (int c = 0; c < kChunksPerThread; ++c) {
        const int index = int(threadIdx.x) + c * kPassThreads, row = index / 8, chunk = index % 8;
        copy_async_16(shared + chunk_offset(row, chunk), rows + row * depth + slab * kDepthStep + chunk * 8);
    }
}

struct WarpPlace {
    int row, column;  // of the warp's part in the tile
    int lane;
};

/// Adds one slab's products to the warp's sums.
__device__ __forceinline__ void multiply_slab(float (&sums)[kRowSteps][kColumnSteps][4], const uint8_t* queries,
                                              const uint8_t* references, const WarpPlace& place) {
    const int lane = place.lane;
#pragma unroll
    for (int step = 0; step < kDepthStep / 16; ++step) {
        uint32_t a[kRowSteps][4], b[kColumnSteps / 2][4];
#pragma unroll
        for (int m = 0; m < kRowSteps; ++m) {
            const int row = place.row + m * 16 + lane % 16;
            load_matrices(a[m], queries + chunk_offset(row, step * 2 + lane / 16));
        }
#pragma unroll
        for (int n = 0; n < kColumnSteps / 2; ++n) {
            const int row = place.column + n * 16 + lane % 8 + lane / 16 * 8;
            load_matrices(b[n], references + chunk_offset(row, step * 2 + lane / 8 % 2));
        }
#pragma unroll
        for (int m = 0; m < kRowSteps; ++m)
#pragma unroll
            for (int n = 0; n < kColumnSteps; ++n)
                multiply_add(sums[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
    }
}

/// Compares the warp's part of a tile with the limits of its rows; hits are rare, and take the long way.
__device__ __forceinline__ void compare_tile(const PassOperands& pass, float (&sums)[kRowSteps][kColumnSteps][4],
                                             const float* limits, const float* scales, int first_row,
                                             int32_t first_position, const WarpPlace& place) {
    const int row_of_lane = place.row + place.lane / 4, column_of_lane = place.column + place.lane % 4 * 2;
    float biases[kColumnSteps][2];
#pragma unroll
    for (int n = 0; n < kColumnSteps; ++n) {
        const float2 pair = *reinterpret_cast<const float2*>(pass.biases + first_position + column_of_lane + n * 8);
        biases[n][0] = pair.x;
        biases[n][1] = pair.y;
    }
    unsigned long long hits = 0;
#pragma unroll
    for (int m = 0; m < kRowSteps; ++m) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = row_of_lane + m * 16 + half * 8;
            const float limit = limits[row], scale = scales[row];
            float largest = -INFINITY;
#pragma unroll
            for (int n = 0; n < kColumnSteps; ++n) {
#pragma unroll
                for (int e = 0; e < 2; ++e) {
                    float& sum = sums[m][n][half * 2 + e];
                    sum = packed_score(sum, biases[n][e], scale);
                    largest = fmaxf(largest, sum);
                }
            }
            if (largest >= limit) {
#pragma unroll
                for (int n = 0; n < kColumnSteps; ++n)
#pragma unroll
                    for (int e = 0; e < 2; ++e)
                        if (sums[m][n][half * 2 + e] >= limit)
                            hits |= 1ull << ((m * 2 + half) * kColumnSteps * 2 + n * 2 + e);
            }
        }
    }
    while (hits) {
        const int hit = __ffsll(static_cast<long long>(hits)) - 1;
        hits &= hits - 1;
        float score = 0;
#pragma unroll
        for (int m = 0; m < kRowSteps; ++m)
#pragma unroll
            for (int half = 0; half < 2; ++half)
#pragma unroll
                for (int n = 0; n < kColumnSteps; ++n)
#pragma unroll
                    for (int e = 0; e < 2; ++e)
                        if (hit == (m * 2 + half) * kColumnSteps * 2 + n * 2 + e) score = sums[m][n][half * 2 + e];
        const int row = row_of_lane + hit / (kColumnSteps * 2) * 8, column = hit % (kColumnSteps * 2);
        offer_candidate(pass, first_row + row, first_position + column_of_lane + column / 2 * 8 + column % 2, score);
    }
}

/// Block x takes query tile x, block y the y-th run of reference tiles. `Resident`: all slabs of the query tile lie in
/// shared memory from the beginning; otherwise they travel with the references'.
template <bool Resident>
__global__ void __launch_bounds__(kPassThreads, 2) pass_kernel(const PassOperands pass) {
    __shared__ float limits[2][kTileQueries];  // of this tile and the next: slow warps may still compare
    __shared__ float scales[kTileQueries];
    uint8_t* const resident = dynamic_shared();
    const int slabs = int(pass.depth / kDepthStep);
    uint8_t* const ring = resident + (Resident ? slabs * kSlabBytes : 0);
    constexpr int kStageBytes = kSlabBytes * (Resident ? 1 : 2);

    const int64_t tiles = int64_t(pass.last_block - pass.first_block) * kTilesPerBlock;
    const int64_t begin = tiles * blockIdx.y / gridDim.y, end = tiles * (blockIdx.y + 1) / gridDim.y;
    const int32_t first_row = int32_t(blockIdx.x) * kTileQueries;
    const int32_t first_tile = pass.first_block * kTilesPerBlock;
    const uint16_t* const queries = pass.queries + int64_t(first_row) * pass.depth;
    const int warp = int(threadIdx.x) / kWarpLanes;
    const WarpPlace place{warp / 4 * kWarpRows, warp % 4 * kWarpColumns, int(threadIdx.x) % kWarpLanes};
    if (begin == end) return;

    // What is copied next, and where to.
    int64_t copy_tile = begin;
    int copy_slab_index = 0, copy_stage = 0;
    const auto copy_next = [&]() {
        if (copy_tile < end) {
            uint8_t* const stage = ring + copy_stage * kStageBytes;
            copy_slab(stage, pass.references + (first_tile + copy_tile) * kTileColumns * pass.depth, pass.depth,
                      copy_slab_index);
            if (!Resident) copy_slab(stage + kSlabBytes, queries, pass.depth, copy_slab_index);
            copy_stage = copy_stage + 1 == kStages ? 0 : copy_stage + 1;
            if (++copy_slab_index == slabs) {
                copy_slab_index = 0;
                ++copy_tile;
            }
        }
        commit_copies();  // an empty group keeps the count
    };

    if (threadIdx.x < kTileQueries) scales[threadIdx.x] = pass.query_terms[first_row + threadIdx.x].scale;
    if (Resident)
        for (int slab = 0; slab < slabs; ++slab) copy_slab(resident + slab * kSlabBytes, queries, pass.depth, slab);
    for (int s = 0; s < kStages - 1; ++s) copy_next();

    int stage = 0;
    for (int64_t tile = begin; tile < end; ++tile) {
        float sums[kRowSteps][kColumnSteps][4];
#pragma unroll
        for (int m = 0; m < kRowSteps; ++m)
#pragma unroll
            for (int n = 0; n < kColumnSteps; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e) sums[m][n][e] = 0;
        float* const tile_limits = limits[tile & 1];
        const int32_t block = int32_t((first_tile + tile) / kTilesPerBlock);
        if (threadIdx.x < kTileQueries)
            tile_limits[threadIdx.x] = row_limit(pass, first_row + int32_t(threadIdx.x), block);
        for (int slab = 0; slab < slabs; ++slab) {
            wait_copies<kStages - 2>();
            __syncthreads();  // everybody's copies are here, and nobody reads the stage that is filled next
            copy_next();
            const uint8_t* const references = ring + stage * kStageBytes;
            multiply_slab(sums, Resident ? resident + slab * kSlabBytes : references + kSlabBytes, references, place);
            stage = stage + 1 == kStages ? 0 : stage + 1;
        }
        compare_tile(pass, sums, tile_limits, scales, first_row, int32_t((first_tile + tile) * kTileColumns), place);
    }
    wait_copies<0>();
}

int device_attribute(cudaDeviceAttr attribute) {
    int device = 0, value = 0;
    ROTE_CUDA_CHECK(cudaGetDevice(&device));
    ROTE_CUDA_CHECK(cudaDeviceGetAttribute(&value, attribute, device));
    return value;
}

}  // namespace

void launch_pass_sm80(const PassOperands& pass, cudaStream_t stream) {
    const int64_t limit = device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
    const int64_t processors = device_attribute(cudaDevAttrMultiProcessorCount);
    const int64_t fixed = 3 * kTileQueries * int64_t(sizeof(float));
    const int64_t resident_bytes = (pass.depth / kDepthStep + kStages) * kSlabBytes;
    const bool resident = resident_bytes + fixed <= limit;
    const int64_t bytes = resident ? resident_bytes : 2 * kStages * kSlabBytes;
    const auto kernel = resident ? pass_kernel<true> : pass_kernel<false>;
    ROTE_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)));

    // Query tiles times runs fill the device a few times over; a run is not cut shorter than the tile is loaded for.
    const int64_t tiles = int64_t(pass.last_block - pass.first_block) * kTilesPerBlock;
    const int64_t wanted = (4 * processors + pass.query_tiles - 1) / pass.query_tiles;
    const int64_t runs = std::clamp<int64_t>(std::min(wanted, tiles / 4), 1, 65535);
    launch_grid(kernel, pass.query_tiles, runs, kPassThreads, size_t(bytes), stream, pass);
}

}  // namespace rote
