// knn/cuda/hopper_block.cuh: one block of threads of the Hopper pass, from its barriers to its last hit.
#pragma once

#include "knn/cuda/hopper_roles.cuh"

namespace rote::hopper {

constexpr int kProducerRegisters = 56;  // with the consumers' these are 64,512 of 65,536
constexpr int kConsumerRegisters = 224;

/// Schedule and shared memory of a launch of at most `clusters` clusters that run at one time.
inline KernelParameters kernel_parameters(const PassOperands& pass, bool stationary, int cluster_size, int clusters) {
    const int tile_groups = (pass.query_tiles + cluster_size - 1) / cluster_size;
    const int blocks = pass.last_block - pass.first_block;
    // Loading queries and draining the pipeline costs about 4,000 cycles, a block of references 16 per column of a row.
    const int overhead = 1 + 4000 / (16 * int(pass.depth));
    return {pass,
            {tile_groups, pass.first_block, blocks, choose_splits(tile_groups, blocks, clusters, overhead)},
            shared_plan(stationary, int(pass.depth / kChunkWidth))};
}

/// Rows of `references` that one copy brings.
constexpr int share_rows(bool stationary, int cluster_size) {
    return stage_references(stationary) / cluster_size;
}

/// The kernel. `shared` is the block's dynamic shared memory.
template <bool kStationary, int kCluster>
__device__ __forceinline__ void run_block(const KernelParameters& parameters, const CUtensorMap* queries,
                                          const CUtensorMap* references, uint8_t* shared) {
    const uint32_t base = (shared_address(shared) + kAtomBytes - 1) / kAtomBytes * kAtomBytes;
    const BlockView view{base, shared + (base - shared_address(shared)), parameters.plan, kCluster,
                         kCluster == 1 ? 0 : int(rank_in_cluster())};
    const PipelineShape shape{parameters.schedule, int(parameters.pass.depth / kChunkWidth), parameters.plan.stages,
                              int(blockIdx.x) / kCluster, int(gridDim.x) / kCluster};
    const int warp = __shfl_sync(kWholeWarp, int(threadIdx.x) / kWarpThreads, 0), group = warp / kGroupWarps;

    if (threadIdx.x == 0) {
        prefetch_map(queries);
        prefetch_map(references);
        for (int i = 0; i < kBarriers; ++i) barrier_init(view.barrier(i), barrier_arrivals(i, kStationary, kCluster));
        publish_barriers();
    }
    if (kCluster == 1)
        __syncthreads();
    else
        cluster_sync();

    if (group == 0) {
        give_registers_back<kProducerRegisters>();
        if (warp == 0) {
            if (threadIdx.x == 0) {
                Copies<kStationary, kCluster> copies(view, parameters, queries, references);
                run_copies<kStationary>(shape, copies);
            }
            __syncwarp();
        } else {
            Limits limits(view, parameters);
            run_limits(shape, warp - 1, limits);
        }
    } else {
        take_registers<kConsumerRegisters>();
        Products<kStationary, kCluster> products(view, parameters, group - 1);
        run_products<kStationary>(shape, group - 1, products);
    }
    // No block leaves while the others may still write into its shared memory.
    if (kCluster > 1) cluster_sync();
}

}  // namespace rote::hopper
