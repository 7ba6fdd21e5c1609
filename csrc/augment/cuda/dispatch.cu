// augment/cuda/dispatch.cu: checks of a batch on the device, and which kernel renders it.
#include "augment/cuda/device_scope.h"
#include "augment/cuda/fast.cuh"
#include "augment/cuda/job.h"
#include "augment/cuda/paths.h"
#include "augment/cuda/simple.cuh"
#include "augment/program/checks.h"
#include "rote/error.h"

namespace rote {

void augment_render_cuda(const AugmentProgram& program, const ImageView<const uint8_t>& images,
                         const AugmentBatch& batch, const AugmentOutput& output, void* workspace, void* stream,
                         int device, const std::string& path) {
    const AugmentPlan& plan = program.plan();
    ROTE_CHECK_ARG(batch.count >= 0, "count: wanted at least 0, got ", batch.count);
    ROTE_CHECK_ARG(batch.rows || batch.views, "views: wanted view ids, or the parameter rows to replay");
    ROTE_CHECK_ARG(output.dtype == DType::float32 || output.dtype == DType::float16 || output.dtype == DType::bfloat16,
                   "dtype: wanted float32, float16 or bfloat16, got code ", int32_t(output.dtype));
    ROTE_CHECK_ARG(images.channels == plan.channels && images.height == plan.in_height && images.width == plan.in_width,
                   "images: the program is for [*, ", plan.channels, ", ", plan.in_height, ", ", plan.in_width,
                   "], got [", images.count, ", ", images.channels, ", ", images.height, ", ", images.width, "]");
    if (!batch.rows) check_partners(plan, nullptr, batch.count, images.count);
    const bool fast = augment_path_of(path) == AugmentPath::fast;
    if (batch.count == 0) return;
    const int64_t wanted = program.workspace_bytes(batch.count, true, path);
    ROTE_CHECK_ARG(wanted == 0 || workspace, "workspace: wanted ", wanted, " bytes, got none");
    const DeviceScope scope(device);
    const DeviceJob job{plan, images, batch, output};
    if (fast) {
        const FastPlan how = fast_plan(plan);
        if (how.possible) return render_fast(job, how, workspace, static_cast<cudaStream_t>(stream));
    }
    render_simple(job, static_cast<float*>(workspace), static_cast<cudaStream_t>(stream));
}

}  // namespace rote
