// knn/cpu/search_cpu.h: the searches that knn_search_cpu chooses from. Each writes its results and adds to `stats`.
#pragma once

#include <cstdint>
#include <vector>

#include "knn/cpu/kernels.h"
#include "rote/knn.h"

namespace rote {

/// By kernels of the caller's choice, for tests of shapes this CPU would not pick.
KnnStats search_with_kernels(const KnnProblem& problem, const KnnKernels& kernels, const KnnOptions& options);

/// The 16-bit pass, by the index where there is one; returns the queries that it cannot settle, whose results are not
/// written.
std::vector<int64_t> search_int16(const KnnProblem& problem, const KnnKernels& kernels, int num_threads,
                                  const KnnIndex::Packed* index, KnnStats& stats);

/// The float32 pass; returns the queries that it cannot settle, whose results are not to be trusted.
std::vector<int64_t> search_float32(const KnnProblem& problem, const KnnKernels& kernels, int num_threads,
                                    KnnStats& stats);

/// A float32 score of every pair of rows as they lie; not for float64 rows.
void search_directly(const KnnProblem& problem, const KnnKernels& kernels, int num_threads, KnnStats& stats);

void search_every_key(const KnnProblem& problem, const KnnKernels& kernels, int num_threads, KnnStats& stats);

}  // namespace rote
