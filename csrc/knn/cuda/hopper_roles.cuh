// knn/cuda/hopper_roles.cuh: the machines of knn/cuda/hopper_pipeline.h on the device.
#pragma once

#include <cmath>
#include <cstdint>

#include "knn/cuda/hopper_filter.h"
#include "knn/cuda/hopper_mbarrier.cuh"
#include "knn/cuda/hopper_pipeline.h"
#include "knn/cuda/hopper_tma.cuh"
#include "knn/cuda/hopper_wgmma.cuh"
#include "knn/cuda/pass.cuh"

namespace rote::hopper {

static_assert(kTileQueries == kQueryRows && kBlockReferences == kBlockColumns && kDepthStep == kChunkWidth);

constexpr unsigned kWholeWarp = 0xffffffffu;

struct DeviceWarp {
    __device__ int lane() const { return int(threadIdx.x) % kWarpThreads; }
    __device__ bool any(bool value) const { return __any_sync(kWholeWarp, value); }
    __device__ uint32_t any_bits(uint32_t bits) const { return __reduce_or_sync(kWholeWarp, bits); }
    __device__ uint32_t ballot(bool value) const { return __ballot_sync(kWholeWarp, value); }
    __device__ int from(int value, int lane) const { return __shfl_sync(kWholeWarp, value, lane); }
    __device__ void sync() const { __syncwarp(); }
};

// offer_candidate of cuda_pass.cuh in its steps.
struct CandidateSink {
    const PassOperands& pass;

    __device__ bool restricted() const { return pass.exclude || pass.query_groups; }
    __device__ int32_t reference(int32_t position) const { return pass.order[position]; }
    __device__ bool admits(int32_t row, int32_t reference) const {
        const int64_t query = pass.first_query + row;
        if (pass.exclude && pass.exclude[query] == reference) return false;
        return !pass.query_groups || pass.query_groups[query] != pass.reference_groups[reference];
    }
    __device__ int32_t reserve(int32_t row, int count) const { return atomicAdd(pass.counts + row, count); }
    __device__ void store(int32_t row, int32_t place, int32_t position, float score) const {
        if (place < pass.capacity) pass.candidates[int64_t(row) * pass.capacity + place] = {position, score};
    }
};

// What all blocks of a launch read.
struct KernelParameters {
    PassOperands pass;
    Schedule schedule;
    SharedPlan plan;
};

// Addresses in this block's shared memory, and where the block stands.
struct BlockView {
    uint32_t base;     // shared address, aligned to a swizzle atom
    uint8_t* pointer;  // the same, generic
    SharedPlan plan;
    int cluster_size, rank;

    __device__ uint32_t barrier(int number) const { return base + plan.barrier_offset + 8 * number; }
    __device__ float* columns(int slot) const {
        return reinterpret_cast<float*>(pointer + plan.column_offset + slot * kColumnBytes);
    }
    __device__ int query_tile(const WorkItem& item) const { return item.tile_group * cluster_size + rank; }
};

template <bool kStationary, int kCluster>
class Copies {
  public:
    __device__ Copies(const BlockView& view, const KernelParameters& parameters, const CUtensorMap* queries,
                      const CUtensorMap* references)
        : view_(view),
          pass_(parameters.pass),
          queries_(queries),
          references_(references),
          chunks_(int(parameters.pass.depth / kChunkWidth)) {}

    __device__ void wait(int barrier, uint32_t parity) { hopper::wait(view_.barrier(barrier), parity); }
    __device__ void expect_queries() {
        arrive_expecting(view_.barrier(kQueriesFull), chunks_ * tile_bytes(kQueryRows));
    }
    __device__ void expect_stage(int slot) {
        arrive_expecting(view_.barrier(stage_full(slot)), stage_bytes(kStationary));
    }
    __device__ void expect_columns(int slot) { arrive_expecting(view_.barrier(column_full(slot)), kBlockColumns * 4); }

    __device__ void copy_queries(const WorkItem& item, int chunk) {
        copy_box(view_.base + chunk * tile_bytes(kQueryRows), queries_, chunk * kChunkWidth,
                 view_.query_tile(item) * kQueryRows, view_.barrier(kQueriesFull));
    }

    // Each block of the cluster copies its share of the references, and every block receives it.
    __device__ void copy_stage(const WorkItem& item, int block, int half, int chunk, int slot) {
        constexpr int kShare = stage_references(kStationary) / kCluster;
        const uint32_t stage = view_.base + view_.plan.stage_offset + slot * stage_bytes(kStationary);
        const uint32_t rows = kStationary ? stage : stage + tile_bytes(kQueryRows),
                       full = view_.barrier(stage_full(slot));
        const int first = block * kBlockColumns + half * kHalfColumns + view_.rank * kShare;
        if (!kStationary) copy_box(stage, queries_, chunk * kChunkWidth, view_.query_tile(item) * kQueryRows, full);
        if (kCluster == 1)
            copy_box(rows, references_, chunk * kChunkWidth, first, full);
        else
            copy_box_to_blocks(rows + view_.rank * tile_bytes(kShare), references_, chunk * kChunkWidth, first, full,
                               uint16_t((1 << kCluster) - 1));
    }

    __device__ void copy_columns(int block, int slot) {
        copy_bytes(shared_address(view_.columns(slot)), pass_.biases + int64_t(block) * kBlockColumns,
                   kBlockColumns * 4, view_.barrier(column_full(slot)));
    }

  private:
    const BlockView& view_;
    const PassOperands& pass_;
    const CUtensorMap *queries_, *references_;
    int chunks_;
};

class Limits {
  public:
    __device__ Limits(const BlockView& view, const KernelParameters& parameters)
        : view_(view), pass_(parameters.pass) {}

    __device__ void wait(int barrier, uint32_t parity) { hopper::wait(view_.barrier(barrier), parity); }
    __device__ void signal(int barrier) {
        __syncwarp();
        if (threadIdx.x % kWarpThreads == 0) arrive(view_.barrier(barrier));
    }
    __device__ void start_item(const WorkItem& item) { tile_ = view_.query_tile(item); }

    __device__ void write_limits(int block, int slot) {
        float* const limits = view_.columns(slot) + kBlockColumns;
        const bool present = tile_ < pass_.query_tiles;  // the last cluster may have a tile too many
        ROTE_UNROLL
        for (int i = 0; i < kQueryRows / kWarpThreads; ++i) {
            const int row = i * kWarpThreads + int(threadIdx.x) % kWarpThreads;
            limits[row] = present ? row_limit(pass_, tile_ * kQueryRows + row, block) : INFINITY;
        }
    }

  private:
    const BlockView& view_;
    const PassOperands& pass_;
    int tile_ = 0;
};

template <bool kStationary, int kCluster>
class Products {
    using Shape = GroupFragment<kStationary>;

  public:
    __device__ Products(const BlockView& view, const KernelParameters& parameters, int group)
        : view_(view),
          pass_(parameters.pass),
          group_(group),
          queue_(DeviceWarp{}, CandidateSink{parameters.pass},
                 reinterpret_cast<uint32_t*>(view.pointer + view.plan.queue_offset +
                                             (threadIdx.x / kWarpThreads - kGroupWarps) * kQueueBytes)) {}

    __device__ void wait(int barrier, uint32_t parity) { hopper::wait(view_.barrier(barrier), parity); }
    __device__ void signal(int barrier) {
        __syncwarp();
        if (threadIdx.x % kWarpThreads == 0) arrive(view_.barrier(barrier));
    }
    __device__ void release_stage(int slot) {
        if (kCluster == 1)
            signal(stage_empty(slot));
        else if (threadIdx.x % kWarpThreads < kCluster)
            arrive_at_block(view_.barrier(stage_empty(slot)), threadIdx.x % kWarpThreads);
    }

    __device__ void start_item(const WorkItem& item) {
        const int tile = view_.query_tile(item), first_row = tile * kQueryRows;
        const int row =
            first_row + group_row(kStationary, group_) + accumulator_place(int(threadIdx.x) % kGroupThreads, 0).row;
        ROTE_UNROLL
        for (int slot = 0; slot < Shape::kRowSlots; ++slot)
            scales_[slot] = tile < pass_.query_tiles ? pass_.query_terms[row + slot_row(slot)].scale : 1.0f;
        first_block_ = item.first_block;
        queue_.start_item(first_row, first_block_ * kBlockColumns);
    }

    __device__ void multiply(int chunk, int slot) {
        const uint32_t stage = view_.base + view_.plan.stage_offset + slot * stage_bytes(kStationary);
        const uint32_t queries = kStationary ? view_.base + chunk * tile_bytes(kQueryRows) : stage;
        const uint32_t references = kStationary ? stage : stage + tile_bytes(kQueryRows);
        const uint32_t a = descriptor_low(queries) + descriptor_offset(group_row(kStationary, group_), 0);
        const uint32_t b = descriptor_low(references);
        mma_fence();
        ROTE_UNROLL
        for (int step = 0; step < kChunkWidth / kStepWidth; ++step) ROTE_UNROLL
        for (int i = 0; i < Shape::kRowTiles; ++i)
            mma(sums_[i], a + descriptor_offset(i * kMmaRows, step), b + descriptor_offset(0, step),
                chunk > 0 || step > 0);
        mma_commit();
    }

    template <int kPending>
    __device__ void wait_products() {
        mma_wait<kPending>();
    }

    __device__ void filter(int block, int slot) {
        const float* const columns = view_.columns(slot);
        const int row = group_row(kStationary, group_), column = group_column(kStationary, group_);
        filter_scores<Shape>(int(threadIdx.x) % kGroupThreads, sums_, columns + column, columns + kBlockColumns + row,
                             scales_, row, (block - first_block_) * kBlockColumns + column, queue_);
    }

    __device__ void finish_item() { queue_.flush(); }

  private:
    const BlockView& view_;
    const PassOperands& pass_;
    int group_, first_block_ = 0;
    HitQueue<DeviceWarp, CandidateSink> queue_;
    float scales_[Shape::kRowSlots];
    typename Shape::Sums sums_ = {};
};

}  // namespace rote::hopper
