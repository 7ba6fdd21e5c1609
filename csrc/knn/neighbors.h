// knn/neighbors.h: exact candidates (key, index), kept k at a time, and how they are written out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "knn/metric.h"
#include "knn/vote.h"
#include "rote/knn.h"

namespace rote {

struct Neighbor {
    double key;
    int64_t index;
};

inline bool operator<(const Neighbor& a, const Neighbor& b) {
    return comes_before(a.key, a.index, b.key, b.index);
}

/// Keeps the k first of a stream of neighbours: a buffer of up to 2k, thinned by selection whenever it fills up.
class NearestBuffer {
  public:
    explicit NearestBuffer(int64_t k) : k_(k) {}

    void offer(Neighbor candidate) {
        if (full_ && !(candidate < last_)) return;
        kept_.push_back(candidate);
        if (int64_t(kept_.size()) >= 2 * k_ + 16) thin();
    }

    /// The k first, in order.
    const std::vector<Neighbor>& sorted() {
        if (int64_t(kept_.size()) > k_) thin();
        std::sort(kept_.begin(), kept_.end());
        return kept_;
    }

  private:
    void thin() {
        std::nth_element(kept_.begin(), kept_.begin() + (k_ - 1), kept_.end());
        kept_.resize(size_t(k_));
        last_ = kept_[size_t(k_ - 1)];
        full_ = true;
    }

    int64_t k_;
    std::vector<Neighbor> kept_;
    Neighbor last_{std::numeric_limits<double>::infinity(), std::numeric_limits<int64_t>::max()};
    bool full_ = false;
};

/// Writes one row of the result: `count` neighbours in order, then -1 and the worst distance.
inline void write_neighbors(const KnnProblem& problem, int64_t query, const Neighbor* neighbors, int64_t count) {
    for (int64_t i = 0; i < problem.k; ++i) {
        const bool found = i < count;
        const double key = found ? neighbors[i].key : std::numeric_limits<double>::infinity();
        const int64_t at = query * problem.k + i;
        if (problem.distances)
            problem.distances[at] = found ? distance_from_key(problem.metric, key) : worst_distance(problem.metric);
        if (problem.indices) problem.indices[at] = found ? neighbors[i].index : -1;
        if (problem.keys) problem.keys[at] = key;
    }
    if (problem.vote) cast_votes(problem, query, neighbors, count);
}

/// A query that holds NaN or inf has no neighbours.
inline void write_not_a_query(const KnnProblem& problem, int64_t query) {
    const int64_t at = query * problem.k;
    if (problem.distances) std::fill_n(problem.distances + at, problem.k, std::numeric_limits<float>::quiet_NaN());
    if (problem.indices) std::fill_n(problem.indices + at, problem.k, int64_t(-1));
    if (problem.keys) std::fill_n(problem.keys + at, problem.k, std::numeric_limits<double>::quiet_NaN());
    if (problem.vote) cast_votes(problem, query, nullptr, 0);
}

}  // namespace rote
