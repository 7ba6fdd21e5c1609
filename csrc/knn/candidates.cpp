// knn/candidates.cpp: thinning by bounds, then by keys.
#include "knn/candidates.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace rote {

namespace {
// Above every score that stands for "no reference" (-inf), below every real one.
constexpr float kOpenThreshold = -std::numeric_limits<float>::max();
}  // namespace

CandidateBuffers::CandidateBuffers(int64_t k, int64_t rows) : k_(k), capacity_(capacity(k)) {
    storage_.resize(size_t(rows * capacity_));
    lowers_.reserve(size_t(capacity_));
    reset(rows);
}

void CandidateBuffers::reset(int64_t rows) {
    sizes_.assign(size_t(rows), 0);
    thresholds_.assign(size_t(rows), kOpenThreshold);
}

bool CandidateBuffers::push(int64_t row, int64_t query, int64_t index, float lower, float upper, ExactKeys& keys) {
    int64_t& size = sizes_[size_t(row)];
    buffer(row)[size++] = {std::numeric_limits<double>::quiet_NaN(), index, lower, upper};
    if (size < capacity_) return false;
    ++compactions_;
    drop_below_threshold(row);
    if (size > k_ + (capacity_ - k_) / 2) {
        ++exact_compactions_;
        compute_keys(row, query, keys);
        const auto nearer = [](const Candidate& a, const Candidate& b) {
            return comes_before(a.key, a.index, b.key, b.index);
        };
        std::nth_element(buffer(row), buffer(row) + (k_ - 1), buffer(row) + size, nearer);
        size = k_;
    }
    return true;
}

// The k-th largest lower bound: k references score at least as much, so whoever cannot reach it is out.
void CandidateBuffers::drop_below_threshold(int64_t row) {
    int64_t& size = sizes_[size_t(row)];
    if (size < k_) return;
    Candidate* const candidates = buffer(row);
    lowers_.clear();
    for (int64_t i = 0; i < size; ++i) lowers_.push_back(candidates[i].lower);
    std::nth_element(lowers_.begin(), lowers_.begin() + (k_ - 1), lowers_.end(), std::greater<float>());
    float& threshold = thresholds_[size_t(row)];
    threshold = std::max(threshold, lowers_[size_t(k_ - 1)]);
    Candidate* const end = std::partition(candidates, candidates + size,
                                          [&](const Candidate& candidate) { return candidate.upper >= threshold; });
    size = end - candidates;
}

void CandidateBuffers::compute_keys(int64_t row, int64_t query, ExactKeys& keys) {
    keys.load_query(query);
    Candidate* const candidates = buffer(row);
    for (int64_t i = 0; i < sizes_[size_t(row)]; ++i)
        if (std::isnan(candidates[i].key)) candidates[i].key = keys.key(candidates[i].index);
}

const std::vector<Neighbor>& CandidateBuffers::finish(int64_t row, int64_t query, ExactKeys& keys) {
    drop_below_threshold(row);
    compute_keys(row, query, keys);
    int64_t& size = sizes_[size_t(row)];
    neighbors_.clear();
    for (int64_t i = 0; i < size; ++i) neighbors_.push_back({buffer(row)[i].key, buffer(row)[i].index});
    const size_t kept = size_t(std::min(size, k_));
    std::partial_sort(neighbors_.begin(), neighbors_.begin() + ptrdiff_t(kept), neighbors_.end());
    neighbors_.resize(kept);
    size = 0;
    return neighbors_;
}

}  // namespace rote
