// knn/cpu/packed_queries.h: some queries in 16 bit, in the order of their clusters.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "knn/cpu/clusters.h"
#include "knn/cpu/int16_bound.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/pack.h"
#include "rote/knn.h"

namespace rote {

/// Positions count the packed queries; queries of one cluster are neighbours.
class PackedQueries {
  public:
    PackedQueries(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters);

    /// Queries [begin, end), in place of what was packed before.
    void pack(int64_t begin, int64_t end, int num_threads);

    int64_t size() const { return int64_t(order_.size()); }
    int64_t query(int64_t position) const { return order_[size_t(position)]; }
    int32_t cluster(int64_t position) const { return clusters_of_[size_t(position)]; }
    const int16_t* row(int64_t position) const { return values_.data() + position * 2 * pairs_; }
    const Int16Query& terms(int64_t position) const { return terms_[size_t(position)]; }
    /// The part of a score that depends on the query and a cluster of references alone: -|q - m|^2 / 2 or <q, m>.
    double shift(int64_t position, int64_t cluster) const {
        return shifts_[size_t(position * cluster_count_ + cluster)];
    }
    /// |q - m| in packed units, within a part in 10^7 or `distance_error`; not for ip.
    double distance(int64_t position, int64_t cluster) const;
    /// Of unit rows, whose squared distance is a difference of float64 sums.
    double distance_error() const;

    /// Queries that are not packed: those that hold NaN or inf, and those that 16 bit cannot bound.
    const std::vector<int64_t>& not_finite() const { return not_finite_; }
    const std::vector<int64_t>& unbounded() const { return unbounded_; }

    /// Bytes of a packed query.
    static int64_t row_bytes(int64_t dim, int64_t clusters);

  private:
    struct Scratch;
    RowState pack_row(int64_t position, int64_t query, int32_t cluster, double factor, Scratch& scratch);

    const KnnProblem& problem_;
    const KnnKernels& kernels_;
    const Clusters& clusters_;
    int64_t dim_, pairs_, cluster_count_;
    PackingFrame uncentred_;
    std::vector<double> centre_squares_;  // in packed units
    std::vector<int64_t> order_, not_finite_, unbounded_;
    std::vector<int32_t> clusters_of_;
    std::vector<int16_t> values_;
    std::vector<Int16Query> terms_;
    std::vector<double> shifts_;
};

}  // namespace rote
