// record/no_cuda.cpp: what a build without CUDA answers.
#if !defined(ROTE_HAVE_CUDA)
#include "rote/error.h"
#include "rote/record.h"

namespace rote {

int64_t record_workspace_bytes(int64_t) {
    throw DeviceError("record: Rote was built without CUDA");
}

void record_presentations_cuda(const RecordBatch&, const RecordState&, void*, void*) {
    throw DeviceError("record: Rote was built without CUDA");
}

}  // namespace rote
#endif
