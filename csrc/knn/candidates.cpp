// knn/candidates.cpp: thinning by bounds, then by keys.
#include "knn/candidates.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace rote {

namespace {

// Above every score that stands for "no reference" (-inf), below every real one.
constexpr double kOpenThreshold = -std::numeric_limits<float>::max();
constexpr int64_t kPrefetchRows = 2;  // candidates lie anywhere in memory

int64_t drop_below(Candidate* candidates, int64_t size, double threshold) {
    return std::partition(candidates, candidates + size,
                          [&](const Candidate& candidate) { return candidate.upper >= threshold; }) -
           candidates;
}

}  // namespace

CandidateBuffers::CandidateBuffers(int64_t k, int64_t rows) : k_(k), capacity_(capacity(k)) {
    storage_.resize(size_t(rows * capacity_));
    reset(rows);
}

void CandidateBuffers::reset(int64_t rows) {
    sizes_.assign(size_t(rows), 0);
    exact_keys_.assign(size_t(rows), 0);
    thresholds_.assign(size_t(rows), kOpenThreshold);
}

bool CandidateBuffers::push(int64_t row, int64_t query, const Candidate& candidate, Thinning& thinning) {
    int64_t& size = sizes_[size_t(row)];
    Candidate* const candidates = buffer(row);
    candidates[size++] = candidate;
    if (size < capacity_) return false;
    ++thinning.compactions;
    double& threshold = thresholds_[size_t(row)];
    threshold = std::max(threshold, kth_lower(candidates, size, thinning));
    size = drop_below(candidates, size, threshold);
    if (size > k_ + (capacity_ - k_) / 2) {
        ++thinning.exact_compactions;
        exact_keys_[size_t(row)] += compute_keys(candidates, size, query, thinning);
        const auto nearer = [](const Candidate& a, const Candidate& b) {
            return comes_before(a.key, a.index, b.key, b.index);
        };
        std::nth_element(candidates, candidates + (k_ - 1), candidates + size, nearer);
        size = k_;
    }
    return true;
}

// k references score at least as much as the k-th largest lower bound, so whoever cannot reach it is out.
double CandidateBuffers::kth_lower(const Candidate* candidates, int64_t size, Thinning& thinning) const {
    if (size < k_) return kOpenThreshold;
    std::vector<double>& lowers = thinning.lowers;
    lowers.clear();
    for (int64_t i = 0; i < size; ++i) lowers.push_back(candidates[i].lower);
    std::nth_element(lowers.begin(), lowers.begin() + (k_ - 1), lowers.end(), std::greater<double>());
    return lowers[size_t(k_ - 1)];
}

int64_t CandidateBuffers::compute_keys(Candidate* candidates, int64_t size, int64_t query, Thinning& thinning) const {
    ExactKeys& keys = thinning.keys;
    keys.load_query(query);
    int64_t computed = 0;
    for (int64_t i = 0; i < size; ++i) {
        if (i + kPrefetchRows < size) keys.prefetch(candidates[i + kPrefetchRows].index);
        if (!std::isnan(candidates[i].key)) continue;
        candidates[i].key = keys.key(candidates[i].index);
        ++computed;
    }
    return computed;
}

const std::vector<Neighbor>& CandidateBuffers::finish(int64_t row, int64_t query, Thinning& thinning, int64_t count,
                                                      int64_t stride) {
    double threshold = kOpenThreshold;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t at = row + i * stride;
        threshold = std::max({threshold, thresholds_[size_t(at)], kth_lower(buffer(at), sizes_[size_t(at)], thinning)});
    }
    std::vector<Neighbor>& neighbors = thinning.neighbors;
    neighbors.clear();
    for (int64_t i = 0; i < count; ++i) {
        const int64_t at = row + i * stride;
        Candidate* const candidates = buffer(at);
        int64_t& size = sizes_[size_t(at)];
        size = drop_below(candidates, size, threshold);
        compute_keys(candidates, size, query, thinning);
        for (int64_t c = 0; c < size; ++c) neighbors.push_back({candidates[c].key, candidates[c].index});
        size = 0;
    }
    const auto kept = ptrdiff_t(std::min(int64_t(neighbors.size()), k_));
    std::partial_sort(neighbors.begin(), neighbors.begin() + kept, neighbors.end());
    neighbors.resize(size_t(kept));
    return neighbors;
}

}  // namespace rote
