// knn/int16_scan.h: packed queries against packed references: skip, score, filter by bounds.
#pragma once

#include <cstdint>
#include <vector>

#include "knn/candidates.h"
#include "knn/clusters.h"
#include "knn/kernels.h"
#include "knn/packed_queries.h"
#include "knn/packed_references.h"
#include "rote/knn.h"

namespace rote {

/// What all threads of a search share.
struct Int16Search {
    const KnnProblem& problem;
    const KnnKernels& kernels;
    const Clusters& clusters;
    const PackedQueries& queries;
    CandidateBuffers& candidates;    // of position p and split s: row s * queries.size() + p
    std::vector<uint8_t>& given_up;  // rows of which 16 bit separate too little: another pass takes their query
    int64_t exact_keys_limit;        // that a row may cost before it is given up
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
        double slack, error;
    };

    void scan_group(int64_t first, int64_t last, const PackedReferences& references, int64_t group);
    void activate(int64_t position, const ReferenceGroup& group, const Int16Block& block);
    void set_threshold(size_t active, const Int16Block& block, int32_t cluster);
    void take_hits(int count, size_t first_active, int64_t slot, const PackedReferences& references,
                   const Int16Block& block, int32_t cluster);
    double most_possible(int64_t position, const ReferenceGroup& group) const;
    void push(int64_t position, const Candidate& candidate);
    int64_t row(int64_t position) const { return split_ * search_.queries.size() + position; }

    const Int16Search& search_;
    Thinning thinning_;
    int64_t split_ = 0, scored_pairs_ = 0;
    std::vector<Active> active_;
    std::vector<const int16_t*> rows_;
    std::vector<float> units_, thresholds_;
    std::vector<int16_t> zeros_;
    std::vector<TileHit> hits_;
};

}  // namespace rote
