// knn/cpu/certified_scan.h: one block of queries against a range of references, exact by certificate.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "knn/bound.h"
#include "knn/cpu/candidates.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/pack.h"
#include "knn/cpu/rows.h"
#include "rote/knn.h"

namespace rote {

/// Buffers of one thread; blocks of queries pass through it one after another.
class CertifiedScan {
  public:
    /// Receives the neighbours of a query, in order; null for a query that holds NaN or inf.
    using Emit = std::function<void(int64_t query, const std::vector<Neighbor>* neighbors)>;

    CertifiedScan(const KnnProblem& problem, const KnnKernels& kernels, const PackingFrame& frame, int64_t block_rows,
                  int64_t block_references);

    /// Queries [query_begin, query_end), at most block_rows of them, against references [begin, end).
    void run(int64_t query_begin, int64_t query_end, int64_t begin, int64_t end, const Emit& emit);

    /// `unsettled` gets the queries that a float64 pass settles cheaper; their neighbours were not to be trusted.
    void add_to(KnnStats& stats, std::vector<int64_t>& unsettled) const;

    /// Rows per block that keep the packed queries and the candidate buffers small.
    static int64_t block_rows_limit(int64_t dim, int64_t k);
    /// References per block that stay in the second-level cache.
    static int64_t block_references_limit(int64_t dim, const KnnKernels& kernels);

  private:
    enum class QueryState : uint8_t { packed, not_finite, given_up };

    void pack_queries(int64_t begin, int64_t end);
    void scan_block(int64_t rows);
    void scan_panel(int64_t query_panel, int64_t reference_panel);
    void offer_unbounded(int64_t rows);
    void push(int64_t row, int64_t reference, float lower, float upper);

    const KnnProblem& problem_;
    const KnnKernels& kernels_;
    const PackingFrame& frame_;
    int64_t dim_;
    ScoreBound bound_;
    RowPacker packer_;
    ReferenceBlock references_;
    CandidateBuffers candidates_;
    Thinning thinning_;
    std::vector<float> row_, queries_, slacks_, thresholds_;
    std::vector<double> constant_slacks_;
    std::vector<QueryState> states_;
    std::vector<int64_t> unsettled_;
    std::vector<TileHit> hits_;
    int64_t unseparated_limit_, query_begin_ = 0, block_references_, finite_queries_ = 0, scored_pairs_ = 0;
};

}  // namespace rote
