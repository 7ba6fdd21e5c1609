// knn/cpu/packed_index.h: references packed once, searched often.
#pragma once

#include "knn/cpu/clusters.h"
#include "knn/cpu/packed_references.h"
#include "rote/knn.h"

namespace rote {

struct KnnIndex::Packed {
    Packed(const MatrixView& references, KnnMetric metric, const KnnKernels& kernels, int num_threads);

    static KnnProblem problem_of(const MatrixView& references, KnnMetric metric);

    KnnProblem problem;  // without queries
    const KnnKernels& kernels;
    Clusters clusters;
    PackedReferences references;
};

}  // namespace rote
