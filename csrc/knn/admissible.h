// knn/admissible.h: which references a query may get; host and device.
#pragma once

#include "rote/host_device.h"
#include "rote/knn.h"

namespace rote {

/// Everything but finiteness, which the executors find while they read the row.
ROTE_HD bool is_admissible(const KnnProblem& problem, int64_t query, int64_t reference) {
    if (problem.exclude && problem.exclude[query] == reference) return false;
    if (problem.query_groups && problem.query_groups[query] == problem.reference_groups[reference]) return false;
    return !problem.mask || problem.mask[reference] != 0;
}

}  // namespace rote
