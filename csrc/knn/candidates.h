// knn/candidates.h: per query, the references that may still be among the k nearest, and the threshold they set.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "knn/neighbors.h"
#include "knn/rows.h"
#include "rote/knn.h"

namespace rote {

/// Scores grow with nearness. The true score of a candidate lies in [lower, upper], both shifted by the query's
/// constant slack; `key` is NaN until somebody needed it.
struct Candidate {
    double key;
    int64_t index;
    float lower, upper;
};

/// Candidates of a block of queries. A full buffer is thinned by its bounds, and where those do not separate, by keys.
class CandidateBuffers {
  public:
    CandidateBuffers(int64_t k, int64_t rows);

    /// Entries of one buffer: room to collect between two thinnings.
    static int64_t capacity(int64_t k) { return 2 * k + 64; }

    void reset(int64_t rows);

    /// Below it no candidate can matter: at least k references are certainly nearer.
    float threshold(int64_t row) const { return thresholds_[size_t(row)]; }

    /// Adds a candidate; true if the threshold of the row may have changed. `query` is the row's query.
    bool push(int64_t row, int64_t query, int64_t index, float lower, float upper, ExactKeys& keys);

    /// The k nearest in order; empties the row.
    const std::vector<Neighbor>& finish(int64_t row, int64_t query, ExactKeys& keys);

    int64_t compactions() const { return compactions_; }
    int64_t exact_compactions() const { return exact_compactions_; }

  private:
    Candidate* buffer(int64_t row) { return storage_.data() + row * capacity_; }
    void drop_below_threshold(int64_t row);
    void compute_keys(int64_t row, int64_t query, ExactKeys& keys);

    int64_t k_, capacity_;
    std::vector<Candidate> storage_;
    std::vector<int64_t> sizes_;
    std::vector<float> thresholds_;
    std::vector<float> lowers_;        // scratch
    std::vector<Neighbor> neighbors_;  // scratch
    int64_t compactions_ = 0, exact_compactions_ = 0;
};

}  // namespace rote
