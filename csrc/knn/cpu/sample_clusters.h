// knn/cpu/sample_clusters.h: k-means on a small sample of the references, and whether clusters would pay.
#pragma once

#include <cstdint>
#include <vector>

#include "knn/cpu/kernels.h"
#include "rote/knn.h"

namespace rote {

/// Up to `limit` centres that the references gather around; none where one centre does about as well, or where less
/// than `least_skipped` of the pairs could be skipped by their clusters.
std::vector<std::vector<double>> sample_clusters(const KnnProblem& problem, const KnnKernels& kernels,
                                                 const std::vector<double>& mean, int64_t limit, double least_skipped);

}  // namespace rote
