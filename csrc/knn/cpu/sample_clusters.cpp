// knn/cpu/sample_clusters.cpp: farthest-first centres, a few rounds of k-means, a trial of what they save.
#include "knn/cpu/sample_clusters.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "knn/cpu/rows.h"
#include "knn/metric.h"

namespace rote {
namespace {

constexpr int64_t kSampleRows = 512;
constexpr int kRounds = 3;           // of moving centres to the mean of their rows
constexpr double kWorthwhile = 0.6;  // of the squared distances to one centre; Gaussian data stay above 0.9
constexpr size_t kTried = 128;       // rows of the sample that stand for queries
constexpr double kEnough = 1.25;     // times the squared distances that the most centres leave

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

// The share of pairs that a search would skip, were the sample's rows its queries and the nearest other row of the
// sample as far as the k-th neighbour. The tests are those of Int16Scan.
double skippable_share(KnnMetric metric, const std::vector<Row>& sample, const std::vector<Row>& centres,
                       const KnnKernels& kernels, const Assignment& nearest) {
    const int64_t dim = int64_t(centres.front().size());
    std::vector<double> radius(centres.size()), rows(centres.size());
    for (size_t s = 0; s < sample.size(); ++s) {
        const auto c = size_t(nearest.cluster[s]);
        radius[c] = std::max(radius[c], std::sqrt(nearest.distance[s]));
        ++rows[c];
    }
    const bool product = metric == KnnMetric::ip;
    const size_t step = (sample.size() + kTried - 1) / kTried;
    double skipped = 0, tried = 0;
    for (size_t q = 0; q < sample.size(); q += step) {
        const double* const query = sample[q].data();
        const auto score = [&](const Row& row) {  // larger is nearer
            return product ? kernels.product_f64(query, row.data(), dim)
                           : -std::sqrt(kernels.squared_f64(query, row.data(), dim));
        };
        double best = -std::numeric_limits<double>::infinity();
        for (size_t s = 0; s < sample.size(); ++s)
            if (s != q) best = std::max(best, score(sample[s]));
        const double length = product ? std::sqrt(kernels.squares_f64(query, dim)) : 1;
        for (size_t c = 0; c < centres.size(); ++c)
            if (score(centres[c]) + length * radius[c] < best) skipped += rows[c];
        tried += double(sample.size());
    }
    return skipped / tried;
}

}  // namespace

std::vector<std::vector<double>> sample_clusters(const KnnProblem& problem, const KnnKernels& kernels,
                                                 const std::vector<double>& mean, int64_t limit, double least_skipped) {
    if (limit < 2) return {};
    const std::vector<Row> sample = sample_rows(problem, kernels);
    if (int64_t(sample.size()) < 4 * limit) return {};
    Assignment nearest{std::vector<int64_t>(sample.size()),
                       std::vector<double>(sample.size(), std::numeric_limits<double>::infinity())};
    Assignment one = nearest;
    assign(sample, {mean}, kernels, one);
    std::vector<Row> centres = spread_centres(sample, kernels, mean, limit, nearest);
    for (int round = 0; round < kRounds; ++round) {
        move_to_means(sample, centres, nearest);
        assign(sample, centres, kernels, nearest);
        // Farthest rows are outliers where there are no groups: judge after the first means.
        if (!(nearest.total() < kWorthwhile * one.total())) return {};
    }
    if (skippable_share(problem.metric, sample, centres, kernels, nearest) < least_skipped) return {};
    return centres;
}

}  // namespace rote
