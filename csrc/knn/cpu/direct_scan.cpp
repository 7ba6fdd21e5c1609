// knn/cpu/direct_scan.cpp: docs/knn-bound.md, "Few queries".
#include "knn/cpu/direct_scan.h"

#include <algorithm>
#include <cmath>

#include "knn/admissible.h"
#include "knn/bound.h"

namespace rote {
namespace {

constexpr int64_t kRowsInCache = 32;  // read from memory for the first query, from cache for the others
constexpr int64_t kPrefetchRows = 2;
constexpr double kSafeNorm = 0x1p30;  // cosine: between its reciprocal and itself float32 squares lose nothing

bool is_safe(double norm) {
    return norm < kSafeNorm && norm > 1 / kSafeNorm;
}

}  // namespace

DirectScan::DirectScan(const KnnProblem& problem, const KnnKernels& kernels)
    : problem_(problem),
      kernels_(kernels),
      dim_(problem.queries.columns),
      relative_(direct_bound(dim_)),
      references_(problem.references, kernels),
      thinning_(problem, kernels),
      candidates_(problem.k, problem.queries.rows),
      queries_(size_t(problem.queries.rows)) {
    ExactKeys& keys = thinning_.keys;
    for (int64_t q = 0; q < problem.queries.rows; ++q) {
        Query& query = queries_[size_t(q)];
        keys.load_query(q);
        query.finite = keys.query_is_finite();
        query.values.assign(keys.query().begin(), keys.query().end());
        query.norm = std::sqrt(keys.query_squares());
    }
}

void DirectScan::run(int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kRowsInCache) {
        const int64_t stop = std::min(end, at + kRowsInCache);
        for (int64_t query = 0; query < problem_.queries.rows; ++query) {
            if (!queries_[size_t(query)].finite) continue;
            for (int64_t reference = at; reference < stop; ++reference) {
                if (query == 0 && reference + kPrefetchRows < end) references_.prefetch(reference + kPrefetchRows);
                scan_row(query, reference);
            }
        }
    }
}

void DirectScan::scan_row(int64_t query, int64_t reference) {
    const Interval interval = score(queries_[size_t(query)], references_.floats(reference));
    if (interval.bounded && interval.upper < candidates_.threshold(query)) return;
    if (!is_admissible(problem_, query, reference)) return;
    if (!interval.bounded && !references_.is_finite_row(reference)) return;
    candidates_.push(query, query, Candidate::between(reference, interval.lower, interval.upper), thinning_);
}

DirectScan::Interval DirectScan::score(const Query& query, const float* row) const {
    constexpr Interval kUnbounded{-INFINITY, INFINITY, false};
    const double subnormals = double(dim_) * 0x1p-146;
    if (is_squared_distance(problem_.metric)) {
        const double distance = kernels_.direct_squared(query.values.data(), row, dim_).sum;
        if (!is_finite(distance)) return kUnbounded;
        return {-(distance * (1 + relative_) + subnormals), -(distance * (1 - relative_) - subnormals), true};
    }
    const DirectSums sums = kernels_.direct_product(query.values.data(), row, dim_);
    if (!is_finite(sums.sum) || !is_finite(sums.squares)) return kUnbounded;
    const double norm = std::sqrt(double(sums.squares) + subnormals);
    if (problem_.metric == KnnMetric::ip) {
        const double width = relative_ * query.norm * norm * (1 + relative_) + subnormals;
        return {sums.sum - width, sums.sum + width, true};
    }
    if (!is_safe(norm) || !is_safe(query.norm)) return kUnbounded;
    const double cosine = sums.sum / (query.norm * norm), width = 2.5 * relative_ + 0x1p-40;
    return {cosine - width, cosine + width, true};
}

const std::vector<Neighbor>* DirectScan::finish(int64_t query) {
    if (!queries_[size_t(query)].finite) return nullptr;
    return &candidates_.finish(query, query, thinning_);
}

}  // namespace rote
