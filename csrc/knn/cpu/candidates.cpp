// knn/cpu/candidates.cpp: thinning by bounds, then by keys.
#include "knn/cpu/candidates.h"

#include <algorithm>
#include <functional>

#include "knn/bound.h"

namespace rote {

namespace {

constexpr int64_t kPrefetchRows = 2;  // candidates lie anywhere in memory

int64_t drop_below(Candidate* candidates, int64_t size, double threshold) {
    return std::partition(candidates, candidates + size,
                          [&](const Candidate& candidate) { return candidate.upper >= threshold; }) -
           candidates;
}

template <class Fn>
void for_each_key(const Candidate* candidates, int64_t size, int64_t query, ExactKeys& keys, Fn&& fn) {
    keys.load_query(query);
    for (int64_t i = 0; i < size; ++i) {
        if (i + kPrefetchRows < size) keys.prefetch(candidates[i + kPrefetchRows].index);
        fn(candidates[i], keys.key(candidates[i].index));
    }
}

}  // namespace

CandidateBuffers::CandidateBuffers(int64_t k, int64_t rows) : k_(k), capacity_(capacity(k)) {
    storage_.resize(size_t(rows * capacity_));
    thresholds_.reset(new std::atomic<double>[size_t(rows)]);
    reset(rows);
}

void CandidateBuffers::reset(int64_t rows) {
    sizes_.assign(size_t(rows), 0);
    unseparated_.assign(size_t(rows), 0);
    for (int64_t row = 0; row < rows; ++row) thresholds_[row].store(open_threshold(), std::memory_order_relaxed);
}

Candidate Candidate::between(int64_t index, double lower, double upper) {
    const double width = upper - lower;  // inf - -inf is inf
    const bool bounded = width <= std::numeric_limits<float>::max();
    return {bounded ? upper : INFINITY, bounded ? round_up(width * (1 + 0x1p-50)) : float(INFINITY), uint32_t(index)};
}

bool CandidateBuffers::push(int64_t row, int64_t query, const Candidate& candidate, Thinning& thinning) {
    int64_t& size = sizes_[size_t(row)];
    Candidate* const candidates = buffer(row);
    candidates[size++] = candidate;
    if (size < capacity_) return false;
    ++thinning.compactions;
    const double threshold = std::max(this->threshold(row), kth_lower(candidates, size, thinning));
    thresholds_[row].store(threshold, std::memory_order_relaxed);
    size = drop_below(candidates, size, threshold);
    if (size > k_ + (capacity_ - k_) / 2) {
        ++thinning.exact_compactions;
        unseparated_[size_t(row)] += keep_nearest(candidates, size, query, thinning);
        size = k_;
    }
    return true;
}

// k references score at least as much as the k-th largest lower bound, so whoever cannot reach it is out.
double CandidateBuffers::kth_lower(const Candidate* candidates, int64_t size, Thinning& thinning) const {
    if (size < k_) return open_threshold();
    std::vector<double>& lowers = thinning.lowers;
    lowers.clear();
    for (int64_t i = 0; i < size; ++i) lowers.push_back(candidates[i].lower());
    std::nth_element(lowers.begin(), lowers.begin() + (k_ - 1), lowers.end(), std::greater<double>());
    return lowers[size_t(k_ - 1)];
}

// Returns how many keys differ from the last one kept: those that a narrower bound might have separated.
int64_t CandidateBuffers::keep_nearest(Candidate* candidates, int64_t size, int64_t query, Thinning& thinning) const {
    std::vector<Thinning::Keyed>& keyed = thinning.keyed;
    keyed.clear();
    for_each_key(candidates, size, query, thinning.keys,
                 [&](const Candidate& candidate, double key) { keyed.push_back({{key, candidate.index}, candidate}); });
    std::nth_element(keyed.begin(), keyed.begin() + (k_ - 1), keyed.end(),
                     [](const Thinning::Keyed& a, const Thinning::Keyed& b) { return a.neighbor < b.neighbor; });
    for (int64_t i = 0; i < k_; ++i) candidates[i] = keyed[size_t(i)].candidate;
    const double last = keyed[size_t(k_ - 1)].neighbor.key;
    return std::count_if(keyed.begin(), keyed.end(),
                         [&](const Thinning::Keyed& candidate) { return candidate.neighbor.key != last; });
}

const std::vector<Neighbor>& CandidateBuffers::finish(int64_t row, int64_t query, Thinning& thinning, int64_t count,
                                                      int64_t stride) {
    double threshold = open_threshold();
    for (int64_t i = 0; i < count; ++i) {
        const int64_t at = row + i * stride;
        threshold = std::max({threshold, this->threshold(at), kth_lower(buffer(at), sizes_[size_t(at)], thinning)});
    }
    std::vector<Neighbor>& neighbors = thinning.neighbors;
    neighbors.clear();
    for (int64_t i = 0; i < count; ++i) {
        const int64_t at = row + i * stride;
        Candidate* const candidates = buffer(at);
        int64_t& size = sizes_[size_t(at)];
        size = drop_below(candidates, size, threshold);
        for_each_key(candidates, size, query, thinning.keys,
                     [&](const Candidate& candidate, double key) { neighbors.push_back({key, candidate.index}); });
        size = 0;
    }
    const auto kept = ptrdiff_t(std::min(int64_t(neighbors.size()), k_));
    std::partial_sort(neighbors.begin(), neighbors.begin() + kept, neighbors.end());
    neighbors.resize(size_t(kept));
    return neighbors;
}

}  // namespace rote
