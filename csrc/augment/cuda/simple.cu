// augment/cuda/simple.cu: one block renders one view at a time. The arithmetic is that of augment/meaning.
#include "augment/cuda/simple.cuh"

#include "augment/cuda/simple_block.cuh"
#include "augment/cuda/simple_color.cuh"
#include "augment/cuda/simple_geometry.cuh"
#include "augment/cuda/simple_memory.h"
#include "augment/sampling/draw.h"
#include "runtime/launch.cuh"

namespace rote {
namespace {

__device__ __forceinline__ void store_element(const AugmentOutput& output, int64_t place, float value) {
    if (output.dtype == DType::float32)
        static_cast<float*>(output.data)[place] = value;
    else if (output.dtype == DType::float16)
        static_cast<Half*>(output.data)[place] = to_half(value);
    else
        static_cast<BFloat16*>(output.data)[place] = to_bfloat16(value);
}

/// The cast and the layout. Neighbouring threads write neighbouring elements in planar and in channels-last outputs. A
/// null block writes NaN.
__device__ __forceinline__ void store_view(const DeviceJob& job, const Block* block, int64_t view) {
    const int32_t channels = job.plan.channels, height = job.plan.out_height, width = job.plan.out_width;
    const bool channels_last = job.output.strides[1] == 1 && channels > 1;
    const int32_t count = height * width * channels;
    for (int32_t i = int32_t(threadIdx.x); i < count; i += kThreads) {
        int32_t c, p;
        if (channels_last) {
            p = i / channels;
            c = i - p * channels;
        } else {
            c = i / (height * width);
            p = i - c * (height * width);
        }
        const int32_t y = p / width, x = p - y * width;
        const float value = block ? block->image.at(c, y, x) : float_from_bits(0x7fc00000u);
        store_element(job.output,
                      view * job.output.strides[0] + c * job.output.strides[1] + y * job.output.strides[2] +
                          x * job.output.strides[3],
                      value);
    }
}

__device__ __forceinline__ void apply_step(Block& block, const AugmentStep& step) {
    switch (step.kind) {
        case AugmentKind::color_jitter:
        case AugmentKind::grayscale:
        case AugmentKind::normalize:
            return apply_color(block, step);
        default:
            return apply_geometry(block, step);
    }
}

__global__ void __launch_bounds__(kThreads, 3)
    render_simple_kernel(const __grid_constant__ DeviceJob job, const __grid_constant__ SimpleMemory memory,
                         float* workspace) {
    __shared__ int32_t row[kMaxAugmentRowWords];
    __shared__ unsigned long long sum;
    const AugmentPlan& plan = job.plan;
    float* const planes =
        memory.in_shared
            ? reinterpret_cast<float*>(dynamic_shared())
            : workspace + int64_t(blockIdx.x) * ((memory.image_bytes + memory.tap_bytes) / int64_t(sizeof(float)));
    const int64_t image_floats = plan.channels * memory.plane_floats;

    for (int64_t view = blockIdx.x; view < job.batch.count; view += gridDim.x) {
        if (!view_is_good(job, view)) {
            store_view(job, nullptr, view);
            continue;
        }
        const int64_t id = job.batch.ids[view];
        if (job.batch.rows) {
            for (int32_t w = int32_t(threadIdx.x); w < plan.row_words; w += kThreads)
                row[w] = job.batch.rows[view * plan.row_words + w];
        } else if (int32_t(threadIdx.x) < plan.num_steps) {
            draw_step(plan.steps[threadIdx.x], job.batch.seed, uint64_t(job.batch.address_id(view)),
                      uint64_t(job.batch.views[view]), row);
        }
        __syncthreads();
        Block block{plan,
                    {job.images.data + id * job.images.stride_n, job.images.stride_c, job.images.stride_h,
                     job.images.stride_w, planes, memory.plane_floats, plan.in_height, plan.in_width},
                    planes + image_floats,
                    planes + 2 * image_floats,
                    row,
                    &sum};
        for (int32_t s = 0; s < plan.num_steps; ++s) apply_step(block, plan.steps[s]);
        store_view(job, &block, view);
        __syncthreads();
    }
}

}  // namespace

void render_simple(const DeviceJob& job, float* workspace, cudaStream_t stream) {
    const SimpleMemory memory = simple_memory(job.plan, job.batch.count);
    const size_t shared = memory.in_shared ? size_t(memory.image_bytes + memory.tap_bytes) : 0;
    ROTE_CUDA_CHECK(
        cudaFuncSetAttribute(render_simple_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared)));
    launch(render_simple_kernel, memory.blocks, kThreads, shared, stream, job, memory, workspace);
}

}  // namespace rote
