// augment/cuda/simple.cu: one block renders one view at a time. The arithmetic is that of augment/meaning.
#include "augment/cuda/simple.cuh"

#include "augment/cuda/simple_block.cuh"
#include "augment/cuda/simple_color.cuh"
#include "augment/cuda/simple_geometry.cuh"
#include "augment/cuda/simple_memory.h"
#include "augment/cuda/simple_mix.cuh"
#include "augment/cuda/simple_noise.cuh"
#include "augment/cuda/simple_rand_augment.cuh"
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
        case AugmentKind::gaussian_blur:
        case AugmentKind::solarize:
        case AugmentKind::posterize:
        case AugmentKind::invert:
        case AugmentKind::sharpness:
        case AugmentKind::auto_contrast:
        case AugmentKind::equalize:
        case AugmentKind::rand_augment:
            return apply_tone(block, step);
        case AugmentKind::random_erasing:
        case AugmentKind::cutout:
        case AugmentKind::gaussian_noise:
            return apply_noise(block, step);
        default:
            return apply_geometry(block, step);
    }
}

__device__ __forceinline__ bool mixes_images(AugmentKind kind) {
    return kind == AugmentKind::mixup || kind == AugmentKind::cutmix;
}

/// All steps; false where a partner is not in the bank, which is never dereferenced.
__device__ __forceinline__ bool apply_steps(Block& block, const DeviceJob& job) {
    const AugmentPlan& plan = block.plan;
    Waiting waiting;
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        if (!mixes_images(step.kind)) {
            apply_step(block, step);
        } else if (waiting.step < 0) {
            const MixParameters mix = mix_parameters(step, block.row);
            if (!mix.acts()) continue;
            if (mix.partner < 0 || mix.partner >= job.images.count) return false;
            begin_partner(block, job, mix, s, waiting);
            s = -1;
        } else if (s == waiting.step) {
            end_partner(block, mix_parameters(step, waiting.row), waiting);
        }
    }
    return true;
}

/// A thread for each step; those of a partner need the partner.
__device__ __forceinline__ void draw_steps(const AugmentPlan& plan, const AugmentBatch& batch, int64_t view,
                                           int32_t* row) {
    const int32_t mine = int32_t(threadIdx.x);
    const uint64_t number = uint64_t(batch.views[view]);
    if (mine < plan.num_steps) draw_step(plan.steps[mine], batch.seed, uint64_t(batch.address_id(view)), number, row);
    for (int32_t s = 1; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        if (!mixes_images(step.kind)) continue;
        __syncthreads();
        int32_t* const fields = row + step.row_offset;
        if (mine < s)
            draw_unmixed_step(plan.steps[mine], batch.seed, uint64_t(fields[0]), number, fields + step.row_words);
    }
}

__global__ void __launch_bounds__(kThreads, 1)
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
        } else {
            draw_steps(plan, job.batch, view, row);
        }
        __syncthreads();
        Block block{plan,
                    {job.images.data + id * job.images.stride_n, job.images.stride_c, job.images.stride_h,
                     job.images.stride_w, planes, memory.plane_floats, plan.in_height, plan.in_width},
                    planes + image_floats,
                    memory.sets == 3 ? planes + 2 * image_floats : nullptr,
                    planes + memory.sets * image_floats,
                    row,
                    &sum};
        const bool good = apply_steps(block, job);
        __syncthreads();
        store_view(job, good ? &block : nullptr, view);
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
