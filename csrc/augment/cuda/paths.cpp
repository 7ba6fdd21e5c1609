// augment/cuda/paths.cpp: see the header.
#include "augment/cuda/paths.h"

#include "augment/cuda/simple_memory.h"
#include "rote/error.h"

namespace rote {
namespace {

bool on_device(AugmentKind kind) {
    switch (kind) {
        case AugmentKind::random_resized_crop:
        case AugmentKind::random_crop:
        case AugmentKind::horizontal_flip:
        case AugmentKind::random_affine:
        case AugmentKind::color_jitter:
        case AugmentKind::grayscale:
        case AugmentKind::normalize:
            return true;
        default:
            return false;
    }
}

}  // namespace

AugmentPath augment_path_of(const std::string& path) {
    if (path == "auto" || path == "simple") return AugmentPath::simple;
    ROTE_CHECK_ARG(path == "fast", "ROTE_AUGMENT_PATH: wanted auto, simple or fast, got '", path, "'");
    return AugmentPath::fast;
}

void check_on_device(const AugmentPlan& plan) {
    for (int32_t s = 0; s < plan.num_steps; ++s)
        if (!on_device(plan.steps[s].kind))
            throw DeviceError(concat("augment: ", augment_kind_name(plan.steps[s].kind), " is not available on CUDA"));
}

int64_t AugmentProgram::workspace_bytes(int64_t batch, bool device_is_cuda, const std::string& path) const {
    augment_path_of(path);
    return device_is_cuda && batch > 0 ? simple_memory(plan_, batch).workspace_bytes : 0;
}

}  // namespace rote
