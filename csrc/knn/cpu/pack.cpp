// knn/cpu/pack.cpp: centring, scaling and interleaving of rows.
#include "knn/cpu/pack.h"

#include <algorithm>
#include <cmath>

#include "knn/bound.h"

namespace rote {
namespace {

constexpr int64_t kSampleRows = 256;
constexpr double kLargestSquare = 0x1p480;  // squared norms between its reciprocal and itself make safe cosines
constexpr int kFloatExponent = 120;         // scales that float32 holds
constexpr int kDoubleExponent = 400;        // keys of rows up to 2^60 units stay inside float64

double power_of_two_near(double norm, int limit) {
    if (!(norm > 0)) return 1;
    return std::ldexp(1.0, std::clamp(-std::ilogb(norm), -limit, limit));
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + ptrdiff_t(values.size() / 2), values.end());
    return values[values.size() / 2];
}

}  // namespace

PackingFrame PackingFrame::choose(const KnnProblem& problem, const KnnKernels& kernels) {
    const int64_t dim = problem.references.columns, rows = problem.references.rows;
    PackingFrame frame;
    frame.centre.assign(size_t(dim), 0.0);

    RowReader reader(problem.references, kernels);
    std::vector<std::vector<double>> sample;
    std::vector<double> norms;
    for (int64_t s = 0, count = std::min(rows, kSampleRows); s < count; ++s) {
        const int64_t row = rows * s / count;
        if (problem.mask && !problem.mask[row]) continue;
        std::vector<double> values(static_cast<size_t>(dim));
        reader.widen(row, values.data());
        double norm = std::sqrt(kernels.product_f64(values.data(), values.data(), dim));
        if (!is_finite(norm)) continue;
        if (problem.metric == KnnMetric::cosine && norm > 0) {
            for (double& value : values) value /= norm;
            norm = 1;
        }
        sample.push_back(std::move(values));
        norms.push_back(norm);
    }
    const bool in_float32 = !reader.is_float64() && problem.metric != KnnMetric::cosine;
    const int limit = in_float32 ? kFloatExponent : kDoubleExponent;
    if (!sample.empty()) {
        const double ordinary = 4 * median(norms);
        double count = 0;
        for (size_t s = 0; s < sample.size(); ++s) {
            if (norms[s] > ordinary) continue;
            ++count;
            for (int64_t i = 0; i < dim; ++i) frame.centre[size_t(i)] += sample[s][size_t(i)];
        }
        for (double& value : frame.centre) value = in_float32 ? double(float(value / count)) : value / count;
        double largest = 0;
        for (size_t s = 0; s < sample.size(); ++s) {
            norms[s] = std::sqrt(kernels.squared_f64(sample[s].data(), frame.centre.data(), dim));
            largest = std::max(largest, norms[s]);
        }
        const double middle = median(norms);
        frame.scale = power_of_two_near(middle > 0 ? middle : largest, limit);
    }
    frame.centre_norm =
        std::sqrt(kernels.product_f64(frame.centre.data(), frame.centre.data(), dim)) * frame.scale * (1 + 0x1p-30);
    if (in_float32) frame.centre_f32.assign(frame.centre.begin(), frame.centre.end());
    return frame;
}

RowPacker::RowPacker(const KnnProblem& problem, const MatrixView& matrix, const KnnKernels& kernels,
                     const PackingFrame& frame)
    : metric_(problem.metric), dim_(matrix.columns), kernels_(kernels), frame_(frame), rows_(matrix, kernels) {
    uncentred_.centre.assign(size_t(dim_), 0.0);
    uncentred_.centre_f32.assign(frame.centre_f32.size(), 0.0f);
}

RowState RowPacker::pack_reference(int64_t row, float* out, double& norm) {
    double factor = 1;
    const RowState state = unit_factor(row, factor);
    return state == RowState::packed ? pack(row, factor, frame_, frame_.scale, out, norm) : state;
}

RowState RowPacker::pack_query(int64_t row, float* out, double& norm) {
    double factor = 1;
    const RowState state = unit_factor(row, factor);
    if (state != RowState::packed) return state;
    if (is_squared_distance(metric_)) return pack(row, factor, frame_, frame_.scale, out, norm);
    return pack(row, factor, uncentred_, metric_ == KnnMetric::ip ? own_scale(row) : 1.0, out, norm);
}

double RowPacker::squares(int64_t row) {
    return rows_.is_float64() ? kernels_.squares_f64(rows_.doubles(row), dim_)
                              : kernels_.squares_f32(rows_.floats(row), dim_);
}

double RowPacker::own_scale(int64_t row) {
    const double sum = squares(row);
    return is_finite(sum) ? power_of_two_near(std::sqrt(sum), kFloatExponent) : 1.0;
}

RowState RowPacker::unit_factor(int64_t row, double& factor) {
    factor = 1;
    if (metric_ != KnnMetric::cosine) return RowState::packed;
    const double sum = squares(row);
    factor = sum > 0 ? 1 / std::sqrt(sum) : 0;
    if (!is_finite(sum)) return rows_.is_finite_row(row) ? RowState::unbounded : RowState::absent;
    const bool safe = sum == 0 || (sum < kLargestSquare && sum > 1 / kLargestSquare);
    return safe ? RowState::packed : RowState::unbounded;
}

RowState RowPacker::pack(int64_t row, double factor, const PackingFrame& frame, double scale, float* out,
                         double& norm) {
    double sum = 0;
    norm = 0;
    if (rows_.is_float64()) {
        sum = kernels_.normalize_f64(rows_.doubles(row), factor, frame.centre.data(), scale, dim_, out);
    } else if (metric_ == KnnMetric::cosine) {
        sum = kernels_.normalize_f32(rows_.floats(row), factor, frame.centre.data(), scale, dim_, out);
    } else {
        sum = kernels_.centre_f32(rows_.floats(row), frame.centre_f32.data(), float(scale), dim_, out);
    }
    if (!is_finite(sum)) return rows_.is_finite_row(row) ? RowState::unbounded : RowState::absent;
    norm = std::sqrt(sum) * (1 + 0x1p-30);
    return norm <= kLargestNorm ? RowState::packed : RowState::unbounded;
}

ReferenceBlock::ReferenceBlock(const KnnProblem& problem, const KnnKernels& kernels, const PackingFrame& frame,
                               int64_t capacity)
    : problem_(problem),
      kernels_(kernels),
      dim_(problem.references.columns),
      per_square_(score_bound(problem.metric, 0, kernels.fused).per_square),
      packer_(problem, problem.references, kernels, frame) {
    const int64_t columns = kernels.panel_columns, padded = (capacity + columns - 1) / columns * columns;
    rows_.resize(size_t(columns * dim_));
    values_.resize(size_t(padded * dim_));
    norms_.resize(size_t(padded));
    biases_.resize(size_t(padded));
    states_.resize(size_t(padded));
}

void ReferenceBlock::pack(int64_t begin, int64_t end) {
    const int64_t columns = kernels_.panel_columns;
    begin_ = begin;
    count_ = end - begin;
    unbounded_.clear();
    for (int64_t p = 0; p < panels(); ++p) {
        for (int64_t c = 0; c < columns; ++c) {
            const int64_t offset = p * columns + c, row = begin + offset;
            float* out = rows_.data() + c * dim_;
            double norm = 0;
            RowState state = RowState::absent;
            if (row < end && !(problem_.mask && !problem_.mask[row])) state = packer_.pack_reference(row, out, norm);
            if (state == RowState::unbounded) unbounded_.push_back(row);
            states_[size_t(offset)] = state;
            norms_[size_t(offset)] = 0;
            biases_[size_t(offset)] = -INFINITY;
            if (state == RowState::packed) {
                norms_[size_t(offset)] = round_up(norm);
                const double half_square = is_squared_distance(problem_.metric) ? 0.5 * norm * norm : 0.0;
                biases_[size_t(offset)] = round_up(square_slack(norm) - half_square);
            } else {
                std::fill_n(out, dim_, 0.0f);
            }
        }
        kernels_.interleave(rows_.data(), dim_, dim_, values_.data() + p * columns * dim_);
    }
}

}  // namespace rote
