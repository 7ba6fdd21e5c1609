// knn/cpu/clusters.cpp: k-means on a small sample.
#include "knn/cpu/clusters.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "knn/bound.h"

namespace rote {
namespace {

constexpr int64_t kSampleRows = 512;
constexpr int kRounds = 3;           // of moving centres to the mean of their rows
constexpr double kWorthwhile = 0.6;  // of the squared distances to one centre; Gaussian data stay above 0.9
constexpr double kEnough = 1.25;     // times the squared distances that the most centres leave
constexpr double kLargestOffset = 0x1p60;

using Row = std::vector<double>;

struct Assignment {
    std::vector<int64_t> cluster;
    std::vector<double> distance;  // squared

    double total() const {
        double sum = 0;
        for (double value : distance) sum += value;
        return sum;
    }
};

std::vector<Row> sample_rows(const KnnProblem& problem, const KnnKernels& kernels) {
    const int64_t dim = problem.references.columns, rows = problem.references.rows;
    RowReader reader(problem.references, kernels);
    std::vector<Row> sample;
    for (int64_t s = 0, count = std::min(rows, kSampleRows); s < count; ++s) {
        const int64_t index = rows * s / count;
        if (problem.mask && !problem.mask[index]) continue;
        Row row(static_cast<size_t>(dim));
        reader.widen(index, row.data());
        const double squares = kernels.squares_f64(row.data(), dim);
        if (!is_finite(squares)) continue;
        if (problem.metric == KnnMetric::cosine && squares > 0)
            for (double& value : row) value /= std::sqrt(squares);
        sample.push_back(std::move(row));
    }
    return sample;
}

void assign(const std::vector<Row>& sample, const std::vector<Row>& centres, const KnnKernels& kernels,
            Assignment& nearest) {
    std::fill(nearest.distance.begin(), nearest.distance.end(), std::numeric_limits<double>::infinity());
    for (size_t c = 0; c < centres.size(); ++c) {
        for (size_t s = 0; s < sample.size(); ++s) {
            const double distance =
                kernels.squared_f64(sample[s].data(), centres[c].data(), int64_t(centres[c].size()));
            if (distance < nearest.distance[s]) nearest.distance[s] = distance, nearest.cluster[s] = int64_t(c);
        }
    }
}

// Starts at the sample's mean; every further centre is the row farthest from all so far.
std::vector<Row> spread_centres(const std::vector<Row>& sample, const KnnKernels& kernels, const Row& mean,
                                int64_t limit, Assignment& nearest) {
    const int64_t dim = int64_t(mean.size());
    std::vector<Row> centres;
    const auto add = [&](const Row& centre) {
        centres.push_back(centre);
        for (size_t s = 0; s < sample.size(); ++s) {
            const double distance = kernels.squared_f64(sample[s].data(), centre.data(), dim);
            if (distance < nearest.distance[s]) {
                nearest.distance[s] = distance;
                nearest.cluster[s] = int64_t(centres.size()) - 1;
            }
        }
    };
    add(mean);
    std::vector<double> totals = {nearest.total()};
    while (int64_t(centres.size()) < limit) {
        const auto farthest = std::max_element(nearest.distance.begin(), nearest.distance.end());
        if (!(*farthest > 0)) break;
        add(sample[size_t(farthest - nearest.distance.begin())]);
        totals.push_back(nearest.total());
    }
    // As few as do about as well: every centre costs every reference a product.
    size_t enough = 0;
    while (totals[enough] > kEnough * totals.back()) ++enough;
    centres.resize(enough + 1);
    assign(sample, centres, kernels, nearest);
    return centres;
}

// Centres without rows go.
void move_to_means(const std::vector<Row>& sample, std::vector<Row>& centres, const Assignment& nearest) {
    std::vector<Row> sums(centres.size(), Row(centres.front().size(), 0.0));
    std::vector<int64_t> counts(centres.size());
    for (size_t s = 0; s < sample.size(); ++s) {
        const auto c = size_t(nearest.cluster[s]);
        ++counts[c];
        for (size_t i = 0; i < sums[c].size(); ++i) sums[c][i] += sample[s][i];
    }
    centres.clear();
    for (size_t c = 0; c < sums.size(); ++c) {
        if (!counts[c]) continue;
        for (double& value : sums[c]) value /= double(counts[c]);
        centres.push_back(std::move(sums[c]));
    }
}

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
                          int64_t limit) {
    Clusters clusters;
    if (limit > 1) {
        const std::vector<Row> sample = sample_rows(problem, kernels);
        Assignment nearest{std::vector<int64_t>(sample.size()),
                           std::vector<double>(sample.size(), std::numeric_limits<double>::infinity())};
        if (int64_t(sample.size()) >= 4 * limit) {
            Assignment one = nearest;
            assign(sample, {frame.centre}, kernels, one);
            std::vector<Row> centres = spread_centres(sample, kernels, frame.centre, limit, nearest);
            // Farthest rows are outliers where there are no groups: judge after the first means.
            for (int round = 0; round < kRounds; ++round) {
                move_to_means(sample, centres, nearest);
                assign(sample, centres, kernels, nearest);
                if (round == 0 && !(nearest.total() < kWorthwhile * one.total())) break;
            }
            if (nearest.total() < kWorthwhile * one.total())
                for (Row& centre : centres) clusters.add(std::move(centre), frame);
        }
    }
    if (clusters.frames_.empty()) clusters.add(frame.centre, frame);
    clusters.relate(problem.metric);
    const double largest = *std::max_element(clusters.offset_norms_.begin(), clusters.offset_norms_.end());
    if (clusters.size() > 1 && !(largest <= kLargestOffset)) return choose(problem, kernels, frame, 1);
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
