// knn/cpu/packed_index.cpp: one run over all references.
#include "knn/cpu/packed_index.h"

#include <algorithm>

#include "rote/error.h"
#include "runtime/float_env.h"

namespace rote {
namespace {

constexpr int64_t kMostClusters = 32;
constexpr int64_t kRowsOfACluster = 64;
constexpr double kLeastSkipped = 0.2;  // of the pairs, for clusters to pay

Clusters choose_clusters(const KnnProblem& problem, const KnnKernels& kernels) {
    const PackingFrame frame = PackingFrame::choose(problem, kernels);
    return Clusters::choose(problem, kernels, frame, std::min(kMostClusters, problem.references.rows / kRowsOfACluster),
                            kLeastSkipped);
}

}  // namespace

KnnProblem KnnIndex::Packed::problem_of(const MatrixView& references, KnnMetric metric) {
    KnnProblem problem;
    problem.queries = problem.references = references;
    problem.queries.rows = 0;
    problem.metric = metric;
    check_knn_problem(problem);
    return problem;
}

KnnIndex::Packed::Packed(const MatrixView& matrix, KnnMetric metric, const KnnKernels& table, int num_threads)
    : problem(problem_of(matrix, metric)),
      kernels(table),
      clusters(choose_clusters(problem, kernels)),
      references(problem, kernels, clusters) {
    references.pack(0, matrix.rows, num_threads);
    references.forget_rows();
}

KnnIndex::KnnIndex(const MatrixView& references, KnnMetric metric, int num_threads, SimdLevel level) {
    FloatEnvironment environment;
    packed_ = std::make_unique<Packed>(references, metric, knn_kernels(level), std::max(num_threads, 1));
}

KnnIndex::~KnnIndex() = default;

int64_t KnnIndex::bytes() const {
    return packed_->references.bytes();
}

}  // namespace rote
