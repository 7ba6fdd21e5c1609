// knn/cpu/pack.h: rows in the form the micro-kernel reads: centred, scaled to a common unit, float32, interleaved.
#pragma once

#include <cstdint>
#include <vector>

#include "knn/cpu/kernels.h"
#include "knn/cpu/rows.h"
#include "rote/knn.h"

namespace rote {

/// What is subtracted from rows and the power of two they are multiplied by. Any choice gives right results (L2 is
/// invariant under translation; for products the centre's term is constant per query); this one makes bounds tight.
struct PackingFrame {
    std::vector<double> centre;
    std::vector<float> centre_f32;  // the same numbers, when rows are centred in float32
    double scale = 1;
    double centre_norm = 0;  // |centre| * scale

    /// From a sample of the references: the mean of its rows of ordinary length, and the median length about it.
    static PackingFrame choose(const KnnProblem& problem, const KnnKernels& kernels);
};

enum class RowState : uint8_t {
    packed,
    absent,    // NaN or inf inside, or masked: never a neighbour
    unbounded  // finite, but float32 cannot bound its scores: every key is computed exactly
};

/// Packs single rows of one matrix into float32: out = (row * factor - centre) * scale. One per thread.
class RowPacker {
  public:
    RowPacker(const KnnProblem& problem, const MatrixView& matrix, const KnnKernels& kernels,
              const PackingFrame& frame);

    /// References: centre and scale of the frame. `norm` is a float64 bound of |out|.
    RowState pack_reference(int64_t row, float* out, double& norm);
    /// Queries: the same for L2; a scale of its own and no centre for products.
    RowState pack_query(int64_t row, float* out, double& norm);

    /// 1 / |row| for cosine, 0 for a zero vector (its cosines are 0 in the key as well), 1 for the other metrics.
    RowState unit_factor(int64_t row, double& factor);
    /// A power of two that brings the row to a length near 1.
    double own_scale(int64_t row);
    RowState pack(int64_t row, double factor, const PackingFrame& frame, double scale, float* out, double& norm);

    RowReader& rows() { return rows_; }

  private:
    double squares(int64_t row);

    KnnMetric metric_;
    int64_t dim_;
    const KnnKernels& kernels_;
    const PackingFrame& frame_;
    PackingFrame uncentred_;
    RowReader rows_;
};

/// A run of references as panels of kernels.panel_columns, with what the epilogue needs per reference.
class ReferenceBlock {
  public:
    ReferenceBlock(const KnnProblem& problem, const KnnKernels& kernels, const PackingFrame& frame, int64_t capacity);

    void pack(int64_t begin, int64_t end);

    int64_t begin() const { return begin_; }
    int64_t count() const { return count_; }
    int64_t panels() const { return (count_ + kernels_.panel_columns - 1) / kernels_.panel_columns; }
    const float* panel(int64_t p) const { return values_.data() + p * kernels_.panel_columns * dim_; }
    const float* norms(int64_t p) const { return norms_.data() + p * kernels_.panel_columns; }
    const float* biases(int64_t p) const { return biases_.data() + p * kernels_.panel_columns; }
    RowState state(int64_t i) const { return states_[size_t(i)]; }
    const std::vector<int64_t>& unbounded() const { return unbounded_; }
    /// n^2 and n weigh in the width of a pair's interval; `norm` as in the panel.
    double square_slack(double norm) const { return per_square_ * norm * norm; }

  private:
    const KnnProblem& problem_;
    const KnnKernels& kernels_;
    int64_t dim_;
    double per_square_;
    RowPacker packer_;
    std::vector<float> rows_, values_, norms_, biases_;
    std::vector<RowState> states_;
    std::vector<int64_t> unbounded_;  // references, not offsets
    int64_t begin_ = 0, count_ = 0;
};

}  // namespace rote
