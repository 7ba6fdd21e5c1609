// knn/cpu/certified_scan.cpp: pack, score, filter by bounds, rerank (docs/knn-bound.md).
#include "knn/cpu/certified_scan.h"

#include <algorithm>
#include <cmath>

#include "knn/admissible.h"

namespace rote {
namespace {

constexpr int64_t kQueryBytes = 4 << 20;        // packed queries of a block
constexpr int64_t kCandidateBytes = 8 << 20;    // candidate buffers of a block
constexpr int64_t kReferenceBytes = 256 << 10;  // packed references of a block: half of a small second-level cache
constexpr int64_t kBlockRows = 1024;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

int64_t round_up_to(int64_t value, int64_t step) {
    return (value + step - 1) / step * step;
}

}  // namespace

int64_t CertifiedScan::block_rows_limit(int64_t dim, int64_t k) {
    const int64_t by_queries = kQueryBytes / (4 * std::max<int64_t>(dim, 1));
    const int64_t by_candidates = kCandidateBytes / (int64_t(sizeof(Candidate)) * CandidateBuffers::capacity(k));
    return std::max<int64_t>(12, std::min({by_queries, by_candidates, kBlockRows}));
}

int64_t CertifiedScan::block_references_limit(int64_t dim, const KnnKernels& kernels) {
    const int64_t rows = kReferenceBytes / (4 * std::max<int64_t>(dim, 1));
    return std::max<int64_t>(1, std::min<int64_t>(rows, 2048) / kernels.panel_columns) * kernels.panel_columns;
}

CertifiedScan::CertifiedScan(const KnnProblem& problem, const KnnKernels& kernels, const PackingFrame& frame,
                             int64_t block_rows, int64_t block_references)
    : problem_(problem),
      kernels_(kernels),
      frame_(frame),
      dim_(problem.queries.columns),
      bound_(score_bound(problem.metric, sum_depth(dim_, kSumBlock), kernels.fused)),
      packer_(problem, problem.queries, kernels, frame),
      references_(problem, kernels, frame, block_references),
      candidates_(problem.k, block_rows),
      thinning_(problem, kernels),
      unseparated_limit_(std::max(8 * (problem.k + 32), problem.references.rows / 4)),
      block_references_(block_references) {
    const int64_t padded = round_up_to(block_rows, kernels.query_rows);
    row_.resize(size_t(dim_));
    queries_.resize(size_t(padded * dim_));
    slacks_.resize(size_t(padded));
    thresholds_.resize(size_t(padded));
    constant_slacks_.resize(size_t(padded));
    states_.resize(size_t(padded));
    hits_.resize(kMaxTileHits);
}

void CertifiedScan::run(int64_t query_begin, int64_t query_end, int64_t begin, int64_t end, const Emit& emit) {
    const int64_t rows = query_end - query_begin;
    query_begin_ = query_begin;
    candidates_.reset(rows);
    pack_queries(query_begin, query_end);
    if (begin == 0)  // once, however the references are split
        for (int64_t row = 0; row < rows; ++row) finite_queries_ += states_[size_t(row)] != QueryState::not_finite;
    for (int64_t at = begin; at < end; at += block_references_) {
        references_.pack(at, std::min(end, at + block_references_));
        scan_block(rows);
        offer_unbounded(rows);
    }
    for (int64_t row = 0; row < rows; ++row) {
        const bool finite = states_[size_t(row)] != QueryState::not_finite;
        emit(query_begin + row, finite ? &candidates_.finish(row, query_begin + row, thinning_) : nullptr);
    }
}

void CertifiedScan::pack_queries(int64_t begin, int64_t end) {
    const int64_t height = kernels_.query_rows, padded = round_up_to(end - begin, height);
    for (int64_t row = 0; row < padded; ++row) {
        const auto at = size_t(row);
        double norm = 0;
        RowState state = RowState::absent;
        if (begin + row < end) state = packer_.pack_query(begin + row, row_.data(), norm);
        if (state == RowState::packed) {
            states_[at] = QueryState::packed;
        } else {
            states_[at] = state == RowState::absent ? QueryState::not_finite : QueryState::given_up;
            if (state == RowState::unbounded) unsettled_.push_back(begin + row);
            std::fill(row_.begin(), row_.end(), 0.0f);
            norm = 0;
        }
        thresholds_[at] = states_[at] == QueryState::packed ? round_down(candidates_.threshold(row)) : kInfinity;
        slacks_[at] = round_up(bound_.per_norm * norm);
        constant_slacks_[at] = query_slack(problem_.metric, dim_, norm, frame_.centre_norm, frame_.scale);
        float* out = queries_.data() + row / height * height * dim_ + row % height;
        for (int64_t i = 0; i < dim_; ++i) out[i * height] = row_[size_t(i)];
    }
}

// A query panel stays in the first-level cache while the panels of the block pass by.
void CertifiedScan::scan_block(int64_t rows) {
    const int64_t query_panels = (rows + kernels_.query_rows - 1) / kernels_.query_rows;
    scored_pairs_ += rows * references_.count();
    for (int64_t q = 0; q < query_panels; ++q)
        for (int64_t r = 0; r < references_.panels(); ++r) scan_panel(q, r);
}

void CertifiedScan::scan_panel(int64_t query_panel, int64_t reference_panel) {
    const int64_t first_row = query_panel * kernels_.query_rows;
    const float* const norms = references_.norms(reference_panel);
    const TileOperands operands{queries_.data() + first_row * dim_, references_.panel(reference_panel), dim_,
                                slacks_.data() + first_row,         thresholds_.data() + first_row,     norms,
                                references_.biases(reference_panel)};
    const int count = kernels_.scan_tile(operands, hits_.data());
    const int64_t first_reference = references_.begin() + reference_panel * kernels_.panel_columns;
    for (int h = 0; h < count; ++h) {
        const TileHit& hit = hits_[size_t(h)];
        const int64_t row = first_row + hit.row;
        if (hit.upper < thresholds_[size_t(row)]) continue;  // raised by an earlier hit of this tile
        const double norm = norms[hit.column];
        const double width = double(slacks_[size_t(row)]) * norm + references_.square_slack(norm);
        const float lower = round_down(double(hit.upper) - 2 * (width + constant_slacks_[size_t(row)]));
        push(row, first_reference + hit.column, lower, hit.upper);
    }
}

// Pairs without a bound are candidates whatever the threshold; only exact keys can thin them.
void CertifiedScan::offer_unbounded(int64_t rows) {
    for (int64_t reference : references_.unbounded())
        for (int64_t row = 0; row < rows; ++row)
            if (states_[size_t(row)] == QueryState::packed) push(row, reference, -kInfinity, kInfinity);
}

void CertifiedScan::push(int64_t row, int64_t reference, float lower, float upper) {
    const int64_t query = query_begin_ + row;
    QueryState& state = states_[size_t(row)];
    if (state == QueryState::given_up || !is_admissible(problem_, query, reference)) return;
    if (!candidates_.push(row, query, Candidate::between(reference, lower, upper), thinning_)) return;
    if (candidates_.unseparated(row) > unseparated_limit_) {
        state = QueryState::given_up;
        thresholds_[size_t(row)] = kInfinity;
        unsettled_.push_back(query);
    } else if (state == QueryState::packed) {
        thresholds_[size_t(row)] = round_down(candidates_.threshold(row));
    }
}

void CertifiedScan::add_to(KnnStats& stats, std::vector<int64_t>& unsettled) const {
    unsettled.insert(unsettled.end(), unsettled_.begin(), unsettled_.end());
    stats.exact_keys += thinning_.keys.count();
    stats.compactions += thinning_.compactions;
    stats.exact_compactions += thinning_.exact_compactions;
    stats.scored_pairs += scored_pairs_;
    stats.rows_float32 += finite_queries_;
}

}  // namespace rote
