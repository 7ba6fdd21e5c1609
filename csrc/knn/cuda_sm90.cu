// knn/cuda_sm90.cu: the matrix pass on Hopper. One block of threads per multiprocessor, two of them to a cluster: a
// group that copies (TMA) and computes limits, two groups that multiply (wgmma) and filter. docs/knn-hopper.md.
#include <cuda_runtime.h>

#include <algorithm>

#include "knn/hopper_roles.cuh"
#include "knn/hopper_tensor_map.h"
#include "rote/error.h"

namespace rote {
namespace hopper {
namespace {

template <bool kStationary, int kCluster>
__global__ void __launch_bounds__(kThreads, 1)
    hopper_pass_kernel(const __grid_constant__ KernelParameters parameters, const __grid_constant__ CUtensorMap queries,
                       const __grid_constant__ CUtensorMap references) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    extern __shared__ char shared[];
    const uint32_t base = (shared_address(shared) + kAtomBytes - 1) / kAtomBytes * kAtomBytes;
    const BlockView view{base, shared + (base - shared_address(shared)), parameters.plan, kCluster,
                         kCluster == 1 ? 0 : int(rank_in_cluster())};
    const PipelineShape shape{parameters.schedule, int(parameters.pass.depth / kChunkWidth), parameters.plan.stages,
                              int(blockIdx.x) / kCluster, int(gridDim.x) / kCluster};
    const int warp = __shfl_sync(kWholeWarp, int(threadIdx.x) / kWarpThreads, 0), group = warp / kGroupWarps;

    if (threadIdx.x == 0) {
        prefetch_map(&queries);
        prefetch_map(&references);
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
                Copies<kStationary, kCluster> copies(view, parameters, &queries, &references);
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
#else
    __trap();  // never launched: why_no_pass_sm90
#endif
}

int device_attribute(cudaDeviceAttr attribute) {
    int device = 0, value = 0;
    ROTE_CUDA_CHECK(cudaGetDevice(&device));
    ROTE_CUDA_CHECK(cudaDeviceGetAttribute(&value, attribute, device));
    return value;
}

template <bool kStationary, int kCluster>
void launch(const PassOperands& pass, cudaStream_t stream) {
    const int chunks = int(pass.depth / kChunkWidth), blocks = pass.last_block - pass.first_block;
    const int tile_groups = (pass.query_tiles + kCluster - 1) / kCluster;
    const int resident = device_attribute(cudaDevAttrMultiProcessorCount) / kCluster;
    // Loading queries and draining the pipeline costs about 4,000 cycles, a block of references 16 per column of a row.
    const int overhead = 1 + 4000 / (16 * int(pass.depth));
    KernelParameters parameters{
        pass,
        {tile_groups, pass.first_block, blocks, choose_splits(tile_groups, blocks, resident, overhead)},
        shared_plan(kStationary, chunks)};
    const int clusters = std::min(resident, parameters.schedule.items());
    const CUtensorMap queries =
        packed_rows_map(pass.queries, int64_t(pass.query_tiles) * kTileQueries, pass.depth, kQueryRows);
    const CUtensorMap references = packed_rows_map(pass.references, int64_t(pass.last_block) * kBlockReferences,
                                                   pass.depth, stage_references(kStationary) / kCluster);

    const auto kernel = hopper_pass_kernel<kStationary, kCluster>;
    ROTE_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, parameters.plan.bytes));
    cudaLaunchAttribute cluster{};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = kCluster;
    cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(unsigned(clusters * kCluster));
    config.blockDim = dim3(kThreads);
    config.dynamicSmemBytes = size_t(parameters.plan.bytes);
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = 1;
    ROTE_CUDA_CHECK(cudaLaunchKernelEx(&config, kernel, parameters, queries, references));
}

}  // namespace
}  // namespace hopper

const char* why_no_pass_sm90() {
    int device = 0, major = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) != cudaSuccess) {
        cudaGetLastError();
        return "there is no CUDA device";
    }
    if (major != 9) return "the device is not of compute capability 9.0";
    cudaFuncAttributes attributes{};
    if (cudaFuncGetAttributes(&attributes, hopper::hopper_pass_kernel<true, 2>) != cudaSuccess) {
        cudaGetLastError();
        return "the build has no code for the device";
    }
    // Code for compute_80 translated by the driver would be the stub.
    if (attributes.ptxVersion < 90) return "the build has no code for sm_90a";
    if (!hopper::tensor_map_encoder()) return "the driver has no cuTensorMapEncodeTiled";
    return nullptr;
}

void launch_pass_sm90(const PassOperands& pass, cudaStream_t stream) {
    const char* const reason = why_no_pass_sm90();
    if (reason) throw DeviceError(concat("knn: the sm90 pass cannot run: ", reason));
    // Queries of two tiles share the references they read. One tile too many is cheap only among many.
    const bool paired = pass.query_tiles % 2 == 0 || pass.query_tiles >= 16;
    const bool stationary = pass.depth <= hopper::kMaxStationaryChunks * hopper::kChunkWidth;
    if (stationary)
        paired ? hopper::launch<true, 2>(pass, stream) : hopper::launch<true, 1>(pass, stream);
    else
        paired ? hopper::launch<false, 2>(pass, stream) : hopper::launch<false, 1>(pass, stream);
}

}  // namespace rote
