// knn/cpu/packed_references.h: a run of references in 16 bit, gathered into blocks of similar rows.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "knn/cpu/clusters.h"
#include "knn/cpu/int16_bound.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/pack.h"
#include "rote/knn.h"

namespace rote {

/// Rows of one cluster and of similar distance to its centre; they share a scale and a bound.
struct ReferenceGroup {
    int64_t begin;  // slot of its first row, the first of a panel
    int64_t count;
    int32_t cluster;
    double shortest, longest;  // distances of its rows to the centre, packed units, rounded outwards
    Int16Block terms;          // but for bias and bias_error, which depend on the query's cluster
};

/// The panels of some references, what completes their products, and the exact lists of rows that are not in them.
class PackedReferences {
  public:
    PackedReferences(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters);

    /// References [begin, end), in place of what was packed before.
    void pack(int64_t begin, int64_t end, int num_threads);

    const std::vector<ReferenceGroup>& groups() const { return groups_; }
    /// Groups of a cluster: [first, second).
    std::pair<int64_t, int64_t> groups_of(int64_t cluster) const {
        return {first_group_[size_t(cluster)], first_group_[size_t(cluster + 1)]};
    }
    /// The terms of a group for queries measured from `origin`.
    Int16Block terms(int64_t group, int64_t origin) const;
    const int16_t* panel(int64_t slot) const { return values_.get() + slot * 2 * pairs_; }
    const float* biases(int64_t slot, int64_t origin) const { return biases_.data() + origin * slots_ + slot; }
    /// The reference in a slot.
    int64_t index(int64_t slot) const { return indices_[size_t(slot)]; }
    /// Finite references that 16 bit cannot bound.
    const std::vector<int64_t>& unbounded() const { return unbounded_; }
    int64_t pairs() const { return pairs_; }
    int64_t bytes() const;
    /// Frees what only packing needs.
    void forget_rows() { std::vector<Row>().swap(rows_); }

    /// Rows of one call of `pack` that keep its memory at a few MiB.
    static int64_t run_rows(int64_t dim);

  private:
    struct Row {
        int64_t index;
        int32_t cluster;
        RowState state;
        double factor, distance;
    };

    void look_at_rows(int64_t begin, int64_t end, int num_threads);
    void arrange();
    struct Scratch;
    void pack_group(int64_t group, Scratch& scratch);
    void write_biases(int64_t group, int64_t origin, const Scratch& scratch);

    const KnnProblem& problem_;
    const KnnKernels& kernels_;
    const Clusters& clusters_;
    int64_t dim_, pairs_, slots_ = 0, capacity_ = 0;
    std::vector<Row> rows_;
    std::unique_ptr<int16_t[]> values_;  // not touched before it is written
    std::vector<float> biases_;          // [cluster of the query][slot]
    std::vector<int64_t> indices_;       // -1: no reference; offsets in rows_ until they are packed
    std::vector<ReferenceGroup> groups_;
    std::vector<double> bias_errors_, largest_biases_;  // [group * clusters + cluster of the query]
    std::vector<int64_t> first_group_, unbounded_;
};

}  // namespace rote
