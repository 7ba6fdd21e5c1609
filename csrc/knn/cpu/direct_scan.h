// knn/cpu/direct_scan.h: few queries. Rows are read once as they lie in memory, unpacked; scores are float32 with a
// bound.
#pragma once

#include "knn/cpu/candidates.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/rows.h"
#include "rote/knn.h"

namespace rote {

/// Scans references [begin, end) for every query of a problem that is not float64.
class DirectScan {
  public:
    DirectScan(const KnnProblem& problem, const KnnKernels& kernels);

    void run(int64_t begin, int64_t end);

    /// The k nearest of the range in order; null for a query that holds NaN or inf.
    const std::vector<Neighbor>* finish(int64_t query);

    int64_t exact_keys() const { return thinning_.keys.count(); }

  private:
    struct Query {
        std::vector<float> values;
        double norm = 0;
        bool finite = true;
    };
    struct Interval {
        double lower, upper;
        bool bounded;
    };

    void scan_row(int64_t query, int64_t reference);
    Interval score(const Query& query, const float* row) const;

    const KnnProblem& problem_;
    const KnnKernels& kernels_;
    int64_t dim_;
    double relative_;  // error of a sum
    RowReader references_;
    Thinning thinning_;
    CandidateBuffers candidates_;
    std::vector<Query> queries_;
};

}  // namespace rote
