// knn/cpu/packed_queries.cpp: find each query's cluster, sort, round to 16 bit.
#include "knn/cpu/packed_queries.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "runtime/parallel.h"

namespace rote {
namespace {

constexpr int64_t kRowsOfATask = 32;
constexpr double kSmallestBiasUnit = 0x1p-60;  // ip of lengths far apart: what tiles multiply by stays inside float32

}  // namespace

struct PackedQueries::Scratch {
    Scratch(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters)
        : packer(problem, problem.queries, kernels, clusters.frame(0)),
          nearest(problem, kernels, clusters, packer.rows()),
          row(size_t(problem.queries.columns)),
          wide(size_t(problem.queries.columns)) {}

    RowPacker packer;
    NearestCluster nearest;
    std::vector<float> row;
    std::vector<double> wide;
};

int64_t PackedQueries::row_bytes(int64_t dim, int64_t clusters) {
    return 2 * dim + 8 * clusters + int64_t(sizeof(Int16Query)) + 16;
}

PackedQueries::PackedQueries(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters)
    : problem_(problem),
      kernels_(kernels),
      clusters_(clusters),
      dim_(problem.queries.columns),
      pairs_((problem.queries.columns + 1) / 2),
      cluster_count_(clusters.size()) {
    uncentred_.centre.assign(size_t(dim_), 0.0);
    uncentred_.centre_f32.assign(clusters.frame(0).centre_f32.size(), 0.0f);
    for (int64_t c = 0; c < cluster_count_; ++c)
        centre_squares_.push_back(clusters.frame(c).centre_norm * clusters.frame(c).centre_norm);
}

void PackedQueries::pack(int64_t begin, int64_t end, int num_threads) {
    struct Found {
        int64_t query;
        double factor;
        int32_t cluster;
        RowState state;
    };
    std::vector<Found> found(size_t(end - begin));
    std::vector<std::unique_ptr<Scratch>> scratches(size_t(std::max(num_threads, 1)));
    const auto scratch_of = [&](int thread) -> Scratch& {
        std::unique_ptr<Scratch>& scratch = scratches[size_t(thread)];
        if (!scratch) scratch = std::make_unique<Scratch>(problem_, kernels_, clusters_);
        return *scratch;
    };
    parallel_for(end - begin, kRowsOfATask, num_threads, [&](int64_t first, int64_t last, int thread) {
        Scratch& scratch = scratch_of(thread);
        for (int64_t i = first; i < last; ++i) {
            Found& row = found[size_t(i)];
            row = {begin + i, 1, 0, RowState::absent};
            row.state = scratch.packer.unit_factor(row.query, row.factor);
            double distance = 0;
            if (row.state == RowState::packed && cluster_count_ > 1)
                row.cluster = int32_t(scratch.nearest.find(row.query, row.factor, distance));
        }
    });
    if (cluster_count_ > 1)
        std::stable_sort(found.begin(), found.end(),
                         [](const Found& a, const Found& b) { return a.cluster < b.cluster; });

    const auto count = found.size();
    order_.resize(count);
    clusters_of_.resize(count);
    terms_.resize(count);
    shifts_.resize(count * size_t(cluster_count_));
    values_.assign(count * size_t(2 * pairs_), 0);
    parallel_for(int64_t(count), kRowsOfATask, num_threads, [&](int64_t first, int64_t last, int thread) {
        Scratch& scratch = scratch_of(thread);
        for (int64_t i = first; i < last; ++i) {
            Found& row = found[size_t(i)];
            order_[size_t(i)] = row.query;
            clusters_of_[size_t(i)] = row.cluster;
            if (row.state == RowState::packed) row.state = pack_row(i, row.query, row.cluster, row.factor, scratch);
        }
    });

    // Rows that are not packed leave their places to the last ones of their cluster only in the order: they are few.
    not_finite_.clear();
    unbounded_.clear();
    for (size_t i = 0; i < count; ++i) {
        if (found[i].state == RowState::packed) continue;
        (found[i].state == RowState::absent ? not_finite_ : unbounded_).push_back(found[i].query);
        order_[i] = -1;
    }
}

RowState PackedQueries::pack_row(int64_t position, int64_t query, int32_t cluster, double factor, Scratch& scratch) {
    const KnnMetric metric = problem_.metric;
    const bool product = metric == KnnMetric::ip, squared = is_squared_distance(metric);
    const double unit = product ? scratch.packer.own_scale(query) : clusters_.scale();
    const bool from_zero = !squared && cluster_count_ == 1;
    double length = 0;
    const RowState state = scratch.packer.pack(query, factor, from_zero ? uncentred_ : clusters_.frame(cluster), unit,
                                               scratch.row.data(), length);
    if (state != RowState::packed) return state;

    Int16Query& terms = terms_[size_t(position)];
    terms.scale = int16_scale(length);
    terms.ratio = unit / clusters_.scale();
    const double bias_unit = terms.scale * terms.ratio;
    if (!(bias_unit >= kSmallestBiasUnit && bias_unit <= 1 / kSmallestBiasUnit)) return RowState::unbounded;
    const double squares =
        kernels_.quantize(scratch.row.data(), float(terms.scale), dim_, values_.data() + position * 2 * pairs_);
    terms.residual = int16_residual(metric, squares, terms.scale, length, dim_, unit);
    terms.length = terms.scale * length + terms.residual;

    scratch.packer.rows().widen(query, scratch.wide.data());
    terms.size = squared ? 0 : unit * factor * std::sqrt(kernels_.squares_f64(scratch.wide.data(), dim_));
    for (int64_t c = 0; c < cluster_count_; ++c) {
        const double* const centre = clusters_.frame(c).centre.data();
        const double sum = squared ? -0.5 * kernels_.squared_f64(scratch.wide.data(), centre, dim_)
                                   : factor * kernels_.product_f64(scratch.wide.data(), centre, dim_);
        shifts_[size_t(position * cluster_count_ + c)] = sum * unit * clusters_.scale();
    }
    const double* const shifts = shifts_.data() + position * cluster_count_;
    const bool finite = std::all_of(shifts, shifts + cluster_count_, [](double shift) { return is_finite(shift); });
    return finite && is_finite(terms.size) ? RowState::packed : RowState::unbounded;
}

double PackedQueries::distance_error() const {
    if (problem_.metric != KnnMetric::cosine) return 0;
    return std::sqrt(4 * (double(dim_) / 8 + 16) * 0x1p-52) * clusters_.scale();
}

double PackedQueries::distance(int64_t position, int64_t cluster) const {
    const double shift = this->shift(position, cluster);
    if (is_squared_distance(problem_.metric)) return std::sqrt(-2 * shift);
    const double size = terms(position).size;
    return std::sqrt(std::max(0.0, size * size + centre_squares_[size_t(cluster)] - 2 * shift));
}

}  // namespace rote
