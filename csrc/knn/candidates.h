// knn/candidates.h: per query, the references that may still be among the k nearest, and the threshold they set.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "knn/neighbors.h"
#include "knn/rows.h"
#include "rote/knn.h"

namespace rote {

/// Scores grow with nearness. The true score of a candidate lies in [lower, upper], both shifted by a constant of the
/// query; `key` is NaN until somebody needed it.
struct Candidate {
    double key;
    int64_t index;
    double lower, upper;
};

/// What one thread needs to thin buffers, and what it did.
struct Thinning {
    explicit Thinning(const KnnProblem& problem, const KnnKernels& kernels) : keys(problem, kernels) {}

    ExactKeys keys;
    std::vector<double> lowers;
    std::vector<Neighbor> neighbors;
    int64_t compactions = 0, exact_compactions = 0;
};

/// Candidates of a block of queries. A full buffer is thinned by its bounds, and where those do not separate, by keys.
/// A row belongs to one thread at a time.
class CandidateBuffers {
  public:
    CandidateBuffers(int64_t k, int64_t rows);

    /// Entries of one buffer: room to collect between two thinnings.
    static int64_t capacity(int64_t k) { return 2 * k + 64; }

    void reset(int64_t rows);

    /// Below it no candidate can matter: at least k references are certainly nearer.
    double threshold(int64_t row) const { return thresholds_[size_t(row)]; }

    /// Keys that thinning has cost the row so far.
    int64_t exact_keys(int64_t row) const { return exact_keys_[size_t(row)]; }

    /// Adds a candidate; true if the threshold of the row may have changed. `query` is the row's query.
    bool push(int64_t row, int64_t query, const Candidate& candidate, Thinning& thinning);

    /// The k nearest of `count` buffers, `stride` rows apart, that hold candidates of the same query; empties them.
    const std::vector<Neighbor>& finish(int64_t row, int64_t query, Thinning& thinning, int64_t count = 1,
                                        int64_t stride = 0);

  private:
    Candidate* buffer(int64_t row) { return storage_.data() + row * capacity_; }
    double kth_lower(const Candidate* candidates, int64_t size, Thinning& thinning) const;
    int64_t compute_keys(Candidate* candidates, int64_t size, int64_t query, Thinning& thinning) const;

    int64_t k_, capacity_;
    std::vector<Candidate> storage_;
    std::vector<int64_t> sizes_, exact_keys_;
    std::vector<double> thresholds_;
};

}  // namespace rote
