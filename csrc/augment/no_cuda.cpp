// augment/no_cuda.cpp: the CUDA entry points of a build without CUDA.
#include "rote/augment.h"
#include "rote/error.h"
#include "rote/random.h"

#if !defined(ROTE_HAVE_CUDA)

namespace rote {

void augment_sample_cuda(const AugmentProgram&, const AugmentBatch&, int32_t*, void*, int) {
    throw DeviceError("augment: Rote was built without CUDA");
}

void augment_render_cuda(const AugmentProgram&, const ImageView<const uint8_t>&, const AugmentBatch&,
                         const AugmentOutput&, void*, void*, int, const std::string&) {
    throw DeviceError("augment: Rote was built without CUDA");
}

void step_addresses_cuda(const StepOrder&, const int64_t*, int64_t, int64_t*, int64_t*, void*, int) {
    throw DeviceError("augment: Rote was built without CUDA");
}

}  // namespace rote

#endif
