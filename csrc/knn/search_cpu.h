// knn/search_cpu.h: the certified search with kernels of the caller's choice, for tests of shapes this CPU would not
// pick.
#pragma once

#include "knn/kernels.h"
#include "rote/knn.h"

namespace rote {

KnnStats search_with_kernels(const KnnProblem& problem, const KnnKernels& kernels, int num_threads);

}  // namespace rote
