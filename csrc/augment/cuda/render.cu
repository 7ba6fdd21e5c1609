// augment/cuda/render.cu: one block renders one view at a time. The arithmetic is meaning.h, geometry.h and sampler.h.
#include <cuda_runtime.h>

#include "augment/cuda/block.cuh"
#include "augment/cuda/block_memory.h"
#include "augment/cuda/device_scope.h"
#include "augment/sampling/draw.h"
#include "rote/augment.h"
#include "rote/error.h"

namespace rote {
namespace {

constexpr int kMaxRowWords = 9 * kMaxAugmentSteps;

struct DeviceJob {
    AugmentPlan plan;
    ImageView<const uint8_t> images;
    AugmentBatch batch;
    AugmentOutput output;
    BlockMemory memory;
    float* workspace;
};

__device__ __forceinline__ void store_element(const AugmentOutput& output, int64_t place, float value) {
    if (output.dtype == DType::float32)
        static_cast<float*>(output.data)[place] = value;
    else if (output.dtype == DType::float16)
        static_cast<Half*>(output.data)[place] = to_half(value);
    else
        static_cast<BFloat16*>(output.data)[place] = to_bfloat16(value);
}

/// The last pass: a normalize that ends the recipe, the cast, the layout. Neighbouring threads write neighbouring
/// elements in planar and in channels-last outputs. A null block writes NaN.
__device__ __forceinline__ void store_view(const DeviceJob& job, const Block* block, int64_t view,
                                           const AugmentStep* normalization) {
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
        float value = float_from_bits(0x7fc00000u);
        if (block) value = block->image.at(c, y, x);
        if (block && normalization)
            value = normalize<float>(value, float(normalization->constants[c]), float(normalization->constants[3 + c]));
        store_element(job.output,
                      view * job.output.strides[0] + c * job.output.strides[1] + y * job.output.strides[2] +
                          x * job.output.strides[3],
                      value);
    }
}

__device__ __forceinline__ bool address_is_good(const AugmentBatch& batch, int64_t view) {
    const int64_t id = batch.address_id(view);
    if (id < 0 || uint64_t(id) >= kMaxImages) return false;
    return !batch.views || (batch.views[view] >= 0 && uint64_t(batch.views[view]) < kMaxViews);
}

__global__ void __launch_bounds__(kThreads, 3) render_kernel(const __grid_constant__ DeviceJob job) {
    extern __shared__ float shared_memory[];
    __shared__ int32_t row[kMaxRowWords];
    __shared__ unsigned long long sum;
    const AugmentPlan& plan = job.plan;
    const BlockMemory& memory = job.memory;
    float* const planes =
        memory.in_shared
            ? shared_memory
            : job.workspace + int64_t(blockIdx.x) * ((memory.image_bytes + memory.tap_bytes) / int64_t(sizeof(float)));
    const int64_t image_floats = plan.channels * memory.plane_floats;
    int32_t steps = plan.num_steps;
    const AugmentStep* normalization = nullptr;
    if (steps > 0 && plan.steps[steps - 1].kind == AugmentKind::normalize) normalization = &plan.steps[--steps];

    for (int64_t view = blockIdx.x; view < job.batch.count; view += gridDim.x) {
        const int64_t id = job.batch.ids[view];
        if (id < 0 || id >= job.images.count || !address_is_good(job.batch, view)) {
            store_view(job, nullptr, view, nullptr);
            continue;
        }
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
        for (int32_t s = 0; s < steps; ++s) apply_step(block, plan.steps[s]);
        store_view(job, &block, view, normalization);
        __syncthreads();
    }
}

__global__ void __launch_bounds__(kThreads)
    sample_kernel(const __grid_constant__ AugmentPlan plan, AugmentBatch batch, int32_t* rows) {
    for (int64_t view = int64_t(blockIdx.x) * kThreads + threadIdx.x; view < batch.count;
         view += int64_t(gridDim.x) * kThreads) {
        int32_t* const row = rows + view * plan.row_words;
        if (address_is_good(batch, view)) {
            draw_row(plan, batch.seed, uint64_t(batch.address_id(view)), uint64_t(batch.views[view]), row);
        } else {
            for (int32_t w = 0; w < plan.row_words; ++w) row[w] = -1;
        }
    }
}

}  // namespace

void augment_sample_cuda(const AugmentProgram& program, const AugmentBatch& batch, int32_t* rows, void* stream,
                         int device) {
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    if (batch.count == 0 || program.row_words() == 0) return;
    const DeviceScope scope(device);
    const int64_t blocks = (batch.count + kThreads - 1) / kThreads;
    sample_kernel<<<unsigned(blocks < kMaxGridBlocks ? blocks : kMaxGridBlocks), kThreads, 0,
                    static_cast<cudaStream_t>(stream)>>>(program.plan(), batch, rows);
    ROTE_CUDA_CHECK(cudaGetLastError());
}

void augment_render_cuda(const AugmentProgram& program, const ImageView<const uint8_t>& images,
                         const AugmentBatch& batch, const AugmentOutput& output, void* workspace, void* stream,
                         int device) {
    const AugmentPlan& plan = program.plan();
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    ROTE_CHECK_ARG(batch.rows || batch.views, "views: wanted view ids, or the parameter rows to replay");
    ROTE_CHECK_ARG(output.dtype == DType::float32 || output.dtype == DType::float16 || output.dtype == DType::bfloat16,
                   "dtype: wanted float32, float16 or bfloat16, got code ", int32_t(output.dtype));
    if (batch.count == 0) return;
    const BlockMemory memory = block_memory(plan, batch.count);
    ROTE_CHECK_ARG(memory.workspace_bytes == 0 || workspace, "workspace: wanted ", memory.workspace_bytes,
                   " bytes, got none");
    const DeviceScope scope(device);
    const DeviceJob job{plan, images, batch, output, memory, static_cast<float*>(workspace)};
    const size_t shared = memory.in_shared ? size_t(memory.image_bytes + memory.tap_bytes) : 0;
    ROTE_CUDA_CHECK(cudaFuncSetAttribute(render_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared)));
    render_kernel<<<unsigned(memory.blocks), kThreads, shared, static_cast<cudaStream_t>(stream)>>>(job);
    ROTE_CUDA_CHECK(cudaGetLastError());
}

}  // namespace rote
