// augment/cuda/paths.cpp: see the header.
#include "augment/cuda/paths.h"

#include "augment/cuda/fast_plan.h"
#include "augment/cuda/simple_memory.h"
#include "rote/error.h"

namespace rote {
AugmentPath augment_path_of(const std::string& path) {
    if (path == "auto" || path == "simple") return AugmentPath::simple;
    ROTE_CHECK_ARG(path == "fast", "ROTE_AUGMENT_PATH: wanted auto, simple or fast, got '", path, "'");
    return AugmentPath::fast;
}

int64_t AugmentProgram::workspace_bytes(int64_t batch, bool device_is_cuda, const std::string& path) const {
    const bool fast_path = augment_path_of(path) == AugmentPath::fast;
    if (!device_is_cuda || batch <= 0) return 0;
    const FastPlan fast = fast_plan(plan_);
    return fast_path && fast.possible ? fast_workspace_bytes(fast, batch) : simple_memory(plan_, batch).workspace_bytes;
}

}  // namespace rote
