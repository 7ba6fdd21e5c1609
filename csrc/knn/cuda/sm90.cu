// knn/cuda/sm90.cu: the matrix pass on Hopper. One block of threads per multiprocessor, two of them to a cluster: a
// group that copies (TMA) and computes limits, two groups that multiply (wgmma) and filter. docs/knn-hopper.md.
#include <cuda_runtime.h>

#include <algorithm>

#include "knn/cuda/hopper_block.cuh"
#include "knn/cuda/hopper_tensor_map.h"
#include "rote/error.h"

namespace rote {
namespace hopper {
namespace {

template <bool kStationary, int kCluster>
__global__ void __launch_bounds__(kThreads, 1)
    hopper_pass_kernel(const __grid_constant__ KernelParameters parameters, const __grid_constant__ CUtensorMap queries,
                       const __grid_constant__ CUtensorMap references) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    extern __shared__ __align__(1024) uint8_t hopper_shared[];
    run_block<kStationary, kCluster>(parameters, &queries, &references, hopper_shared);
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
    const int resident = device_attribute(cudaDevAttrMultiProcessorCount) / kCluster;
    const KernelParameters parameters = kernel_parameters(pass, kStationary, kCluster, resident);
    const int clusters = std::min(resident, parameters.schedule.items());
    const CUtensorMap queries =
        packed_rows_map(pass.queries, int64_t(pass.query_tiles) * kTileQueries, pass.depth, kQueryRows);
    const CUtensorMap references = packed_rows_map(pass.references, int64_t(pass.last_block) * kBlockReferences,
                                                   pass.depth, share_rows(kStationary, kCluster));

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
