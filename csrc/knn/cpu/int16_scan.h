// knn/cpu/int16_scan.h: packed queries against packed references: skip, score, filter by bounds.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "knn/cpu/candidates.h"
#include "knn/cpu/clusters.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/packed_queries.h"
#include "knn/cpu/packed_references.h"
#include "knn/cpu/self_join.h"
#include "rote/knn.h"

namespace rote {

/// What all threads of a search share. Buffers of position p and split s are row s * queries.size() + p.
struct Int16Search {
    const KnnProblem& problem;
    const KnnKernels& kernels;
    const Clusters& clusters;
    const PackedQueries& queries;
    CandidateBuffers& candidates;
    std::vector<std::atomic<bool>>& given_up;  // rows that 16 bit separate too little: another pass takes their query
    int64_t unseparated_limit;                 // that a row may cost before it is given up
    const SelfJoin* self_join;                 // or null
};

/// The buffers of one thread.
class Int16Scan {
  public:
    explicit Int16Scan(const Int16Search& search);

    /// Queries at [first, last), of one cluster, against every `splits`-th group, from `split` on.
    void run(int64_t first, int64_t last, const PackedReferences& references, int64_t split, int64_t splits);

    Thinning& thinning() { return thinning_; }
    int64_t scored_pairs() const { return scored_pairs_; }

  private:
    /// A query that may have a neighbour in the group at hand.
    struct Active {
        int64_t position;
        double slack, error, shift;
        double unit;   // of the tile's values
        double width;  // of a score to either side
    };
    /// The group at hand.
    struct Group {
        const ReferenceGroup& rows;
        Int16Block block;
        const PackedReferences& references;
    };

    void scan_group(int64_t first, int64_t last, const Group& group);
    bool look_at_columns(int64_t first, const Group& group);
    void activate(int64_t position, const Group& group);
    void set_threshold(size_t active, const Group& group);
    void take_hits(int count, size_t first_active, int64_t slot, const Group& group);
    /// True if the threshold of the row may have changed.
    bool push(int64_t position, int64_t reference, double lower, double upper);
    int64_t row(int64_t position) const { return split_ * search_.queries.size() + position; }

    const Int16Search& search_;
    Thinning thinning_;
    int64_t split_ = 0, scored_pairs_ = 0;
    std::vector<Active> active_;
    std::vector<const int16_t*> rows_;
    std::vector<float> units_, thresholds_, row_units_, row_offsets_;
    std::vector<int16_t> zeros_;
    std::vector<TileHit> hits_;
    // Of a self-join, by slot of the group: where the reference stands as a query, and what it has reached.
    std::vector<int64_t> column_positions_;
    std::vector<float> column_thresholds_;
    int64_t last_column_ = 0;
    double least_column_threshold_ = 0;
};

}  // namespace rote
