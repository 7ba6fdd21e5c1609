// knn/cpu/partial_results.h: neighbours that several tasks found for the same queries, and their merge.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "knn/neighbors.h"
#include "rote/knn.h"

namespace rote {

struct Split {
    int64_t begin, end;
};

/// Even pieces of [0, total).
inline Split split_of(int64_t total, int64_t splits, int64_t index) {
    return {total * index / splits, total * (index + 1) / splits};
}

/// One list per query and split.
class PartialResults {
  public:
    PartialResults(const KnnProblem& problem, int64_t splits)
        : problem_(problem), splits_(splits), found_(size_t(problem.queries.rows * splits)) {}

    void store(int64_t query, int64_t split, const std::vector<Neighbor>* neighbors) {
        Partial& partial = found_[size_t(query * splits_ + split)];
        partial.finite = neighbors != nullptr;
        if (neighbors) partial.neighbors = *neighbors;
    }

    /// False for a query that holds NaN or inf.
    bool write_merged(int64_t query) {
        const Partial* const parts = found_.data() + query * splits_;
        if (!parts->finite) {
            write_not_a_query(problem_, query);
            return false;
        }
        std::vector<Neighbor> all;
        for (int64_t s = 0; s < splits_; ++s)
            all.insert(all.end(), parts[s].neighbors.begin(), parts[s].neighbors.end());
        const int64_t kept = std::min(problem_.k, int64_t(all.size()));
        std::partial_sort(all.begin(), all.begin() + kept, all.end());
        write_neighbors(problem_, query, all.data(), kept);
        return true;
    }

  private:
    struct Partial {
        std::vector<Neighbor> neighbors;
        bool finite = true;
    };
    const KnnProblem& problem_;
    int64_t splits_;
    std::vector<Partial> found_;
};

}  // namespace rote
