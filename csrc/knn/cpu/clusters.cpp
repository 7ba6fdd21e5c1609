// knn/cpu/clusters.cpp: centres, what lies between them, and which one is nearest.
#include "knn/cpu/clusters.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "knn/bound.h"
#include "knn/cpu/sample_clusters.h"

namespace rote {
namespace {

constexpr double kLargestOffset = 0x1p60;

}  // namespace

void Clusters::add(std::vector<double> centre, const PackingFrame& frame) {
    PackingFrame own;
    own.scale = frame.scale;
    if (!frame.centre_f32.empty()) {
        own.centre_f32.assign(centre.begin(), centre.end());
        centre.assign(own.centre_f32.begin(), own.centre_f32.end());  // rows are centred in float32: the same numbers
    }
    double squares = 0;
    for (double value : centre) squares += value * value;
    own.centre = std::move(centre);
    own.centre_norm = std::sqrt(squares) * frame.scale * (1 + 0x1p-30);
    frames_.push_back(std::move(own));
}

Clusters Clusters::choose(const KnnProblem& problem, const KnnKernels& kernels, const PackingFrame& frame,
                          int64_t limit, double least_skipped) {
    Clusters clusters;
    for (std::vector<double>& centre : sample_clusters(problem, kernels, frame.centre, limit, least_skipped))
        clusters.add(std::move(centre), frame);
    if (clusters.frames_.empty()) clusters.add(frame.centre, frame);
    clusters.relate(problem.metric);
    const double largest = *std::max_element(clusters.offset_norms_.begin(), clusters.offset_norms_.end());
    if (clusters.size() > 1 && !(largest <= kLargestOffset)) return choose(problem, kernels, frame, 1, least_skipped);
    return clusters;
}

void Clusters::relate(KnnMetric metric) {
    const size_t count = frames_.size(), dim = frames_.front().centre.size();
    const bool squared = is_squared_distance(metric);
    order_.resize(count);
    for (size_t origin = 0; origin < count; ++origin) {
        std::vector<double> distances(count);
        for (size_t cluster = 0; cluster < count; ++cluster) {
            std::vector<float> offset(dim);
            double norm = 0;
            for (size_t i = 0; i < dim; ++i) {
                const double own = frames_[origin].centre[i], other = frames_[cluster].centre[i];
                distances[cluster] += (own - other) * (own - other);
                // One cluster: queries of products are measured from zero, and nothing has to be completed.
                offset[i] = count == 1 ? 0.0f : float((squared ? own - other : own) * scale());
                norm += double(offset[i]) * double(offset[i]);
            }
            offsets_.push_back(std::move(offset));
            offset_norms_.push_back(std::sqrt(norm) * (1 + 0x1p-20));
        }
        std::vector<int32_t>& order = order_[origin];
        for (size_t cluster = 0; cluster < count; ++cluster) order.push_back(int32_t(cluster));
        std::sort(order.begin(), order.end(),
                  [&](int32_t a, int32_t b) { return distances[size_t(a)] < distances[size_t(b)]; });
    }
}

const float* Clusters::offset(int64_t origin, int64_t cluster) const {
    return offsets_[size_t(origin * size() + cluster)].data();
}

double Clusters::offset_norm(int64_t origin, int64_t cluster) const {
    return offset_norms_[size_t(origin * size() + cluster)];
}

NearestCluster::NearestCluster(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters,
                               RowReader& rows)
    : kernels_(kernels),
      clusters_(clusters),
      rows_(rows),
      unit_(problem.metric == KnnMetric::cosine),
      dim_(problem.references.columns) {
    for (int64_t c = 0; c < clusters.size(); ++c) {
        const std::vector<double>& centre = clusters.frame(c).centre;
        centres_.emplace_back(centre.begin(), centre.end());
        squares_.push_back(kernels.squares_f64(centre.data(), dim_));
    }
}

int64_t NearestCluster::find(int64_t row, double factor, double& distance) {
    int64_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t c = 0; c < clusters_.size(); ++c) {
        double squares = 0;
        if (rows_.is_float64()) {
            const double* const values = rows_.doubles(row);
            const double* const centre = clusters_.frame(c).centre.data();
            squares = unit_ ? 1 + squares_[size_t(c)] - 2 * factor * kernels_.product_f64(values, centre, dim_)
                            : kernels_.squared_f64(values, centre, dim_);
        } else {
            const float* const values = rows_.floats(row);
            const float* const centre = centres_[size_t(c)].data();
            squares = unit_ ? 1 + squares_[size_t(c)] - 2 * factor * kernels_.direct_product(values, centre, dim_).sum
                            : double(kernels_.direct_squared(values, centre, dim_).sum);
        }
        if (c == 0 || squares < least) least = squares, best = c;
        if (!is_finite(squares)) {
            least = squares;
            break;
        }
    }
    distance = std::sqrt(least < 0 ? 0.0 : least) * clusters_.scale();
    return best;
}

}  // namespace rote
