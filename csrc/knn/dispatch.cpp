// knn/dispatch.cpp: checks of a problem, the kernels of a level, and what a build without CUDA answers.
#include <utility>

#include "knn/kernels.h"
#include "rote/error.h"
#include "rote/knn.h"

namespace rote {

void check_knn_problem(const KnnProblem& problem) {
    const MatrixView &queries = problem.queries, &references = problem.references;
    ROTE_CHECK_ARG(queries.columns == references.columns, "references: wanted ", queries.columns,
                   " columns like queries, got ", references.columns);
    ROTE_CHECK_ARG(queries.columns >= 1 && queries.columns <= (int64_t(1) << 28),
                   "queries: wanted between 1 and 2^28 columns, got ", queries.columns);
    ROTE_CHECK_ARG(queries.dtype == references.dtype, "references: wanted the dtype of queries");
    ROTE_CHECK_ARG(problem.k >= 1 && problem.k <= references.rows, "k: wanted between 1 and the ", references.rows,
                   " references, got ", problem.k);
    ROTE_CHECK_ARG(!problem.query_groups == !problem.reference_groups,
                   "query_groups and reference_groups: wanted both or none");
}

KnnPath parse_knn_path(const std::string& name) {
    constexpr std::pair<const char*, KnnPath> kPaths[] = {{"auto", KnnPath::automatic},
                                                          {"int16", KnnPath::int16},
                                                          {"float32", KnnPath::float32},
                                                          {"float64", KnnPath::float64}};
    for (const auto& [known, path] : kPaths)
        if (name == known) return path;
    throw ArgumentError(concat("path: wanted auto, int16, float32 or float64, got '", name, "'"));
}

const KnnKernels& knn_kernels(SimdLevel level) {
#if defined(ROTE_X86)
    if (level == SimdLevel::avx512) return has_avx512_vnni() ? knn_kernels_avx512vnni() : knn_kernels_avx512();
    if (level == SimdLevel::avx2) return knn_kernels_avx2();
#endif
    (void)level;
    return knn_kernels_baseline();
}

#if !defined(ROTE_HAVE_CUDA)
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
#endif

}  // namespace rote
