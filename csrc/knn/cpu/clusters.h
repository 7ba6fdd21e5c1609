// knn/cpu/clusters.h: centres that rows of one search are measured from. Embeddings gather in groups; within a group
// rows are short, so 16 bits resolve them well, and whole groups lie too far from a query to matter.
#pragma once

#include <cstdint>
#include <vector>

#include "knn/cpu/kernels.h"
#include "knn/cpu/pack.h"
#include "rote/knn.h"

namespace rote {

/// One frame per cluster, all of one scale. Any centres give right results.
class Clusters {
  public:
    /// One cluster around the frame's centre, or up to `limit` where a sample of the references falls into groups that
    /// let a search skip at least `least_skipped` of its pairs.
    static Clusters choose(const KnnProblem& problem, const KnnKernels& kernels, const PackingFrame& frame,
                           int64_t limit, double least_skipped);

    int64_t size() const { return int64_t(frames_.size()); }
    const PackingFrame& frame(int64_t cluster) const { return frames_[size_t(cluster)]; }
    double scale() const { return frames_.front().scale; }

    /// Of a pair of clusters: what is added to the product of a query measured from `origin` and a row measured from
    /// `cluster`, as a vector d, so that <d, row> completes it: the other centre, or for L2 their difference.
    const float* offset(int64_t origin, int64_t cluster) const;
    /// |offset|, rounded up.
    double offset_norm(int64_t origin, int64_t cluster) const;
    bool has_offset(int64_t origin, int64_t cluster) const { return offset_norm(origin, cluster) > 0; }

    /// The clusters from the nearest to `origin` on.
    const std::vector<int32_t>& by_distance(int64_t origin) const { return order_[size_t(origin)]; }

  private:
    void add(std::vector<double> centre, const PackingFrame& frame);
    void relate(KnnMetric metric);

    std::vector<PackingFrame> frames_;
    std::vector<std::vector<float>> offsets_;  // [origin * size + cluster]
    std::vector<double> offset_norms_;
    std::vector<std::vector<int32_t>> order_;
};

/// Finds the nearest centre of rows, roughly: nothing depends on it but speed. One per thread.
class NearestCluster {
  public:
    NearestCluster(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters, RowReader& rows);

    /// `distance` is that to the centre, in units of the frame; not finite if the row is not.
    int64_t find(int64_t row, double factor, double& distance);

  private:
    const KnnKernels& kernels_;
    const Clusters& clusters_;
    RowReader& rows_;
    bool unit_;
    int64_t dim_;
    std::vector<std::vector<float>> centres_;
    std::vector<double> squares_, wide_;
};

}  // namespace rote
