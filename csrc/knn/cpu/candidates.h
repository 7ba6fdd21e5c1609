// knn/cpu/candidates.h: per query, the references that may still be among the k nearest, and the threshold they set.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "knn/cpu/rows.h"
#include "knn/neighbors.h"
#include "rote/knn.h"

namespace rote {

/// Scores grow with nearness. The true score of a candidate lies in [lower, upper], both shifted by a constant of the
/// query. Sixteen bytes, since a search holds many.
struct Candidate {
    double upper;
    float width;  // of the interval, rounded up
    uint32_t index;

    double lower() const { return width < std::numeric_limits<float>::infinity() ? upper - width : -INFINITY; }
    static Candidate between(int64_t index, double lower, double upper);
    /// Nothing but its key places it.
    static Candidate unbounded(int64_t index) { return between(index, -INFINITY, INFINITY); }
};

/// What one thread needs to thin buffers, and what it did.
struct Thinning {
    explicit Thinning(const KnnProblem& problem, const KnnKernels& kernels) : keys(problem, kernels) {}

    struct Keyed {
        Neighbor neighbor;
        Candidate candidate;
    };

    ExactKeys keys;
    std::vector<double> lowers;
    std::vector<Keyed> keyed;
    std::vector<Neighbor> neighbors;
    int64_t compactions = 0, exact_compactions = 0;
};

/// Candidates of a block of queries. A full buffer is thinned by its bounds, and where those do not separate, by keys.
/// A row belongs to one thread at a time; thresholds may be read by all, and a stale one costs candidates alone.
class CandidateBuffers {
  public:
    CandidateBuffers(int64_t k, int64_t rows);

    /// Entries of one buffer: room to collect between two thinnings.
    static int64_t capacity(int64_t k) { return 2 * k + 32; }
    static int64_t row_bytes(int64_t k) { return capacity(k) * int64_t(sizeof(Candidate)) + 24; }

    /// The threshold of a row that has not seen enough: above "no reference" (-inf), below every real score.
    static constexpr double open_threshold() { return -std::numeric_limits<float>::max(); }

    void reset(int64_t rows);

    /// Below it no candidate can matter: at least k references are certainly nearer.
    double threshold(int64_t row) const { return thresholds_[row].load(std::memory_order_relaxed); }

    /// Keys that thinning has cost the row so far, exact ties left out: no other pass would separate those.
    int64_t unseparated(int64_t row) const { return unseparated_[size_t(row)]; }

    /// Adds a candidate; true if the threshold of the row may have changed. `query` is the row's query.
    bool push(int64_t row, int64_t query, const Candidate& candidate, Thinning& thinning);

    /// The k nearest of `count` buffers, `stride` rows apart, that hold candidates of the same query; empties them.
    const std::vector<Neighbor>& finish(int64_t row, int64_t query, Thinning& thinning, int64_t count = 1,
                                        int64_t stride = 0);

  private:
    Candidate* buffer(int64_t row) { return storage_.data() + row * capacity_; }
    double kth_lower(const Candidate* candidates, int64_t size, Thinning& thinning) const;
    int64_t keep_nearest(Candidate* candidates, int64_t size, int64_t query, Thinning& thinning) const;

    int64_t k_, capacity_;
    std::vector<Candidate> storage_;
    std::vector<int64_t> sizes_, unseparated_;
    std::unique_ptr<std::atomic<double>[]> thresholds_;
};

}  // namespace rote
