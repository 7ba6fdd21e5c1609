// knn/no_cuda.cpp: what a build without CUDA answers.
#if !defined(ROTE_HAVE_CUDA)
#include "rote/error.h"
#include "rote/knn.h"

namespace rote {

int64_t knn_workspace_bytes(int64_t, int64_t, int64_t, int64_t, const std::string&) {
    throw DeviceError("knn: rote was built without CUDA");
}

void knn_search_cuda(const KnnProblem&, void*, void*, const std::string&, int64_t*) {
    throw DeviceError("knn: rote was built without CUDA");
}

void knn_products(const uint16_t*, const uint16_t*, int64_t, float*, void*, void*, const std::string&) {
    throw DeviceError("knn: rote was built without CUDA");
}

int64_t knn_products_workspace_bytes() {
    throw DeviceError("knn: rote was built without CUDA");
}

double knn_accumulation_bound(int64_t) {
    throw DeviceError("knn: rote was built without CUDA");
}

}  // namespace rote
#endif
