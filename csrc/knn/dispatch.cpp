// knn/dispatch.cpp: checks of a problem, and the kernels of a level.
#include <utility>

#include "knn/cpu/kernels.h"
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
    ROTE_CHECK_ARG(references.rows < int64_t(1) << 32, "references: wanted fewer than 2^32 rows, got ",
                   references.rows);
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

}  // namespace rote
