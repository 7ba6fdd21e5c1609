// knn/cpu/rows.h: rows of any floating dtype as float32 (16 bit widens exactly) or float64, and exact keys of pairs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "knn/cpu/kernels.h"
#include "knn/metric.h"
#include "rote/knn.h"

namespace rote {

/// Reads rows of one matrix; 16-bit rows pass through a buffer of the reader. One reader per thread.
class RowReader {
  public:
    RowReader(const MatrixView& matrix, const KnnKernels& kernels)
        : matrix_(matrix), kernels_(kernels), buffer_(is_16_bit() ? size_t(matrix.columns) : 0) {}

    bool is_float64() const { return matrix_.dtype == DType::float64; }

    /// Of a matrix that is not float64. Valid until the next call.
    const float* floats(int64_t row) {
        if (!is_16_bit()) return matrix_.row<float>(row);
        const auto convert = matrix_.dtype == DType::float16 ? kernels_.half_to_float : kernels_.bfloat16_to_float;
        convert(matrix_.row<uint16_t>(row), matrix_.columns, buffer_.data());
        return buffer_.data();
    }

    const double* doubles(int64_t row) const { return matrix_.row<double>(row); }

    void widen(int64_t row, double* out) {
        if (is_float64()) {
            std::copy_n(doubles(row), matrix_.columns, out);
        } else {
            std::copy_n(floats(row), matrix_.columns, out);
        }
    }

    void prefetch(int64_t row) const {
        const int64_t bytes = dtype_bytes(matrix_.dtype);
        const char* const begin = static_cast<const char*>(matrix_.data) + row * matrix_.row_stride * bytes;
        for (int64_t at = 0; at < matrix_.columns * bytes; at += 64) __builtin_prefetch(begin + at);
    }

    /// Element by element: the slow answer, asked when a sum over the row is not finite.
    bool is_finite_row(int64_t row) {
        bool finite = true;
        if (is_float64()) {
            for (int64_t i = 0; i < matrix_.columns; ++i) finite &= is_finite(doubles(row)[i]);
        } else {
            const float* values = floats(row);
            for (int64_t i = 0; i < matrix_.columns; ++i) finite &= is_finite(values[i]);
        }
        return finite;
    }

  private:
    bool is_16_bit() const { return matrix_.dtype == DType::float16 || matrix_.dtype == DType::bfloat16; }

    MatrixView matrix_;
    const KnnKernels& kernels_;
    std::vector<float> buffer_;
};

/// Keys of one query after another, by the formula of metric.h.
class ExactKeys {
  public:
    ExactKeys(const KnnProblem& problem, const KnnKernels& kernels)
        : metric_(problem.metric),
          dim_(problem.queries.columns),
          kernels_(kernels),
          queries_(problem.queries, kernels),
          references_(problem.references, kernels),
          query_(size_t(dim_)),
          reference_(metric_ == KnnMetric::cosine ? size_t(dim_) : 0) {}

    void load_query(int64_t query) {
        if (query == loaded_) return;
        queries_.widen(query, query_.data());
        loaded_ = query;
        norm_ = kernels_.product_f64(query_.data(), query_.data(), dim_);
    }

    /// False if the loaded query holds NaN or inf.
    bool query_is_finite() { return is_finite(norm_) || queries_.is_finite_row(loaded_); }

    /// The key of the loaded query and a reference known to be finite.
    double key(int64_t reference) {
        ++count_;
        double squares = 0;
        return key_and_squares(reference, squares);
    }

    /// Starts loading a reference's row.
    void prefetch(int64_t reference) const { references_.prefetch(reference); }

    const std::vector<double>& query() const { return query_; }
    double query_squares() const { return norm_; }

    /// False if the reference holds NaN or inf.
    bool key_if_finite(int64_t reference, double& key) {
        ++count_;
        double squares = 0;
        key = key_and_squares(reference, squares);
        return (is_finite(key) && is_finite(squares)) || references_.is_finite_row(reference);
    }

    int64_t count() const { return count_; }

  private:
    double key_and_squares(int64_t reference, double& squares) {
        if (metric_ == KnnMetric::cosine) {
            references_.widen(reference, reference_.data());
            squares = kernels_.product_f64(reference_.data(), reference_.data(), dim_);
            return key_from_sums(metric_, kernels_.product_f64(query_.data(), reference_.data(), dim_), norm_, squares);
        }
        const bool squared = is_squared_distance(metric_);
        const double sum = references_.is_float64() ? (squared ? kernels_.squared_f64 : kernels_.product_f64)(
                                                          query_.data(), references_.doubles(reference), dim_)
                                                    : (squared ? kernels_.squared_f32 : kernels_.product_f32)(
                                                          query_.data(), references_.floats(reference), dim_);
        return key_from_sums(metric_, sum, 0, 0);
    }

    KnnMetric metric_;
    int64_t dim_;
    const KnnKernels& kernels_;
    RowReader queries_, references_;
    std::vector<double> query_, reference_;
    double norm_ = 0;
    int64_t loaded_ = -1, count_ = 0;
};

}  // namespace rote
