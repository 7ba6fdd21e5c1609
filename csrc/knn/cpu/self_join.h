// knn/cpu/self_join.h: queries that are the references. A pair has one key whichever is the query, so it is scored
// once, by the query of the smaller position, and serves both.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "knn/cpu/packed_queries.h"
#include "rote/knn.h"

namespace rote {

inline bool is_self_join(const KnnProblem& problem) {
    const MatrixView &queries = problem.queries, &references = problem.references;
    return queries.data == references.data && queries.rows == references.rows &&
           queries.row_stride == references.row_stride && !problem.mask;
}

/// Where each reference stands among the queries, and locks for rows that several threads serve.
class SelfJoin {
  public:
    explicit SelfJoin(const PackedQueries& queries)
        : positions_(size_t(queries.size()), -1), locks_(new std::atomic_flag[size_t(queries.size())]) {
        for (int64_t position = 0; position < queries.size(); ++position) {
            locks_[position].clear();
            if (queries.query(position) >= 0) positions_[size_t(queries.query(position))] = position;
        }
    }

    int64_t position(int64_t reference) const { return positions_[size_t(reference)]; }

    /// Holds a row for the life of the object; rows change hands in well under a microsecond.
    class Lock {
      public:
        Lock(const SelfJoin* join, int64_t position) : flag_(join ? &join->locks_[position] : nullptr) {
            while (flag_ && flag_->test_and_set(std::memory_order_acquire)) {
            }
        }
        ~Lock() {
            if (flag_) flag_->clear(std::memory_order_release);
        }
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;

      private:
        std::atomic_flag* flag_;
    };

  private:
    std::vector<int64_t> positions_;  // by reference
    std::unique_ptr<std::atomic_flag[]> locks_;
};

}  // namespace rote
