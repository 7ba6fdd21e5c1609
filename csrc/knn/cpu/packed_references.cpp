// knn/cpu/packed_references.cpp: look at the rows, arrange them into groups, round the groups to 16 bit.
#include "knn/cpu/packed_references.h"

#include <algorithm>
#include <cmath>

#include "runtime/parallel.h"

namespace rote {
namespace {

constexpr int64_t kRunBytes = 4 << 20, kMostRunBytes = 16 << 20;
constexpr int64_t kLeastRunRows = 4096, kMostRunRows = 1 << 15;  // clusters want some rows each
constexpr int64_t kGroupBytes = 256 << 10;                       // half of a small second-level cache
constexpr int64_t kGroupRows = 512;
constexpr double kGroupRatio = 2;  // of distances to the centre; the scale is that of the farthest row
constexpr int64_t kPrefetchRows = 2;
constexpr int64_t kRowsOfATask = 64;
constexpr double kNotPacked = -1;  // instead of a length

}  // namespace

/// What one thread packs with.
struct PackedReferences::Scratch {
    Scratch(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters)
        : packer(problem, problem.references, kernels, clusters.frame(0)) {}

    RowPacker packer;
    std::vector<float> rows;      // of a group, packed to float32
    std::vector<double> lengths;  // theirs
    std::vector<int16_t> narrow;  // one panel
    std::vector<int64_t> unbounded;
};

int64_t PackedReferences::run_rows(int64_t dim) {
    const int64_t rows = std::max(kRunBytes / (2 * dim), std::min(kLeastRunRows, kMostRunBytes / (2 * dim)));
    return std::clamp<int64_t>(rows, 64, kMostRunRows);
}

PackedReferences::PackedReferences(const KnnProblem& problem, const KnnKernels& kernels, const Clusters& clusters)
    : problem_(problem),
      kernels_(kernels),
      clusters_(clusters),
      dim_(problem.references.columns),
      pairs_((problem.references.columns + 1) / 2) {}

void PackedReferences::pack(int64_t begin, int64_t end, int num_threads) {
    look_at_rows(begin, end, num_threads);
    arrange();
    std::vector<std::unique_ptr<Scratch>> scratches(size_t(std::max(num_threads, 1)));
    parallel_for(int64_t(groups_.size()), 1, num_threads, [&](int64_t group, int64_t, int thread) {
        std::unique_ptr<Scratch>& scratch = scratches[size_t(thread)];
        if (!scratch) scratch = std::make_unique<Scratch>(problem_, kernels_, clusters_);
        pack_group(group, *scratch);
        for (int64_t i = 0; i < groups_[size_t(group)].count; ++i)
            if (scratch->lengths[size_t(i)] == kNotPacked)
                scratch->unbounded.push_back(indices_[size_t(groups_[size_t(group)].begin + i)]);
    });
    for (const auto& scratch : scratches)
        if (scratch) unbounded_.insert(unbounded_.end(), scratch->unbounded.begin(), scratch->unbounded.end());
}

int64_t PackedReferences::bytes() const {
    return capacity_ * 4 * pairs_ + int64_t(4 * biases_.size() + 8 * indices_.size() + sizeof(Row) * rows_.capacity());
}

void PackedReferences::look_at_rows(int64_t begin, int64_t end, int num_threads) {
    rows_.resize(size_t(end - begin));
    parallel_for(end - begin, kRowsOfATask, num_threads, [&](int64_t first, int64_t last, int) {
        RowPacker packer(problem_, problem_.references, kernels_, clusters_.frame(0));
        NearestCluster nearest(problem_, kernels_, clusters_, packer.rows());
        std::vector<float> scratch(static_cast<size_t>(dim_));
        for (int64_t i = first; i < last; ++i) {
            Row& row = rows_[size_t(i)];
            row = {begin + i, 0, RowState::absent, 1, 0};
            if (problem_.mask && !problem_.mask[row.index]) continue;
            row.state = packer.unit_factor(row.index, row.factor);
            if (row.state != RowState::packed) continue;
            row.cluster = int32_t(nearest.find(row.index, row.factor, row.distance));
            if (!is_finite(row.distance))  // float32 squares overflow long before packed rows do
                row.state = packer.pack(row.index, row.factor, clusters_.frame(0), clusters_.scale(), scratch.data(),
                                        row.distance);
        }
    });
    unbounded_.clear();
    for (const Row& row : rows_)
        if (row.state == RowState::unbounded) unbounded_.push_back(row.index);
    rows_.erase(
        std::remove_if(rows_.begin(), rows_.end(), [](const Row& row) { return row.state != RowState::packed; }),
        rows_.end());
}

// By cluster and distance; a group ends where it fills the cache or its rows grow too unlike.
void PackedReferences::arrange() {
    // One cluster of rows alike: an order would gain nothing, and memory is read best as it lies.
    const auto nearer = [](const Row& a, const Row& b) { return a.distance < b.distance; };
    const auto [nearest, farthest] = std::minmax_element(rows_.begin(), rows_.end(), nearer);
    const bool alike =
        clusters_.size() == 1 && (rows_.empty() || farthest->distance <= kGroupRatio * nearest->distance);
    if (!alike) {
        std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
            if (a.cluster != b.cluster) return a.cluster < b.cluster;
            return a.distance < b.distance || (a.distance == b.distance && a.index < b.index);
        });
    }
    const int64_t columns = kernels_.panel_columns;
    const int64_t most = std::clamp(kGroupBytes / (4 * pairs_), columns, kGroupRows) / columns * columns;
    groups_.clear();
    first_group_.assign(size_t(clusters_.size() + 1), 0);
    slots_ = 0;
    indices_.clear();
    for (size_t i = 0; i < rows_.size();) {
        const size_t first = i;
        const double limit = alike ? INFINITY : kGroupRatio * rows_[first].distance;
        while (i < rows_.size() && rows_[i].cluster == rows_[first].cluster && int64_t(i - first) < most &&
               (rows_[i].distance <= limit || int64_t(i - first) < columns / 2))
            ++i;
        ReferenceGroup group{};
        group.begin = slots_;
        group.count = int64_t(i - first);
        group.cluster = rows_[first].cluster;
        groups_.push_back(group);
        first_group_[size_t(group.cluster + 1)] = int64_t(groups_.size());
        for (size_t row = first; row < i; ++row) indices_.push_back(int64_t(row));  // of rows_, until it is packed
        slots_ = (slots_ + group.count + columns - 1) / columns * columns;
        indices_.resize(size_t(slots_), -1);
    }
    for (size_t c = 1; c < first_group_.size(); ++c) first_group_[c] = std::max(first_group_[c], first_group_[c - 1]);
    if (slots_ > capacity_) {
        values_.reset(new int16_t[size_t(slots_ * 2 * pairs_)]);
        capacity_ = slots_;
    }
    biases_.resize(size_t(slots_ * clusters_.size()));
    bias_errors_.assign(groups_.size() * size_t(clusters_.size()), 0.0);
    largest_biases_.assign(groups_.size() * size_t(clusters_.size()), 0.0);
}

void PackedReferences::pack_group(int64_t at, Scratch& scratch) {
    ReferenceGroup& group = groups_[size_t(at)];
    const PackingFrame& frame = clusters_.frame(group.cluster);
    const int64_t count = group.count, columns = kernels_.panel_columns;
    scratch.rows.resize(size_t(count * dim_));
    scratch.lengths.assign(size_t(count), kNotPacked);
    group.shortest = INFINITY;
    group.longest = 0;
    for (int64_t i = 0; i < count; ++i) {
        if (i + kPrefetchRows < count)
            scratch.packer.rows().prefetch(rows_[size_t(indices_[size_t(group.begin + i + kPrefetchRows)])].index);
        const Row& row = rows_[size_t(indices_[size_t(group.begin + i)])];
        indices_[size_t(group.begin + i)] = row.index;
        double length = 0;
        if (scratch.packer.pack(row.index, row.factor, frame, frame.scale, scratch.rows.data() + i * dim_, length) !=
            RowState::packed)
            continue;
        scratch.lengths[size_t(i)] = length;
        group.shortest = std::min(group.shortest, length * (1 - 0x1p-20));
        group.longest = std::max(group.longest, length * (1 + 0x1p-20) + 0x1p-100);
    }
    const double scale = int16_scale(group.longest);
    group.terms = {scale, scale * group.longest, 0, frame.centre_norm, 0, 0};
    scratch.narrow.resize(size_t(columns * 2 * pairs_));
    for (int64_t p = 0; p < count; p += columns) {
        std::fill(scratch.narrow.begin(), scratch.narrow.end(), int16_t(0));
        for (int64_t c = 0; c < std::min(columns, count - p); ++c) {
            const double length = scratch.lengths[size_t(p + c)];
            if (length == kNotPacked) continue;
            const double squares = kernels_.quantize(scratch.rows.data() + (p + c) * dim_, float(scale), dim_,
                                                     scratch.narrow.data() + c * 2 * pairs_);
            group.terms.residual = std::max(group.terms.residual,
                                            int16_residual(problem_.metric, squares, scale, length, dim_, frame.scale));
        }
        kernels_.interleave(scratch.narrow.data(), pairs_, pairs_, values_.get() + (group.begin + p) * 2 * pairs_);
    }
    for (int64_t origin = 0; origin < clusters_.size(); ++origin) write_biases(at, origin, scratch);
}

// What completes the products of a group for queries measured from `origin`; -inf where there is no reference.
void PackedReferences::write_biases(int64_t at, int64_t origin, const Scratch& scratch) {
    const ReferenceGroup& group = groups_[size_t(at)];
    const bool squared = is_squared_distance(problem_.metric), offset = clusters_.has_offset(origin, group.cluster);
    const int64_t columns = kernels_.panel_columns, padded = (group.count + columns - 1) / columns * columns;
    float* const out = biases_.data() + origin * slots_ + group.begin;
    double largest = 0;
    std::fill_n(out, padded, -INFINITY);
    for (int64_t i = 0; i < group.count; ++i) {
        const double length = scratch.lengths[size_t(i)];
        if (length == kNotPacked) continue;
        double value = squared ? -0.5 * length * length : 0.0;
        if (offset)
            value += double(
                kernels_.direct_product(clusters_.offset(origin, group.cluster), scratch.rows.data() + i * dim_, dim_)
                    .sum);
        out[i] = float(value * group.terms.scale);
        largest = std::max(largest, std::fabs(double(out[i])));
    }
    const auto entry = size_t(at * clusters_.size() + origin);
    largest_biases_[entry] = largest;
    bias_errors_[entry] = int16_bias_error(problem_.metric, dim_, group.terms.scale, group.longest,
                                           clusters_.offset_norm(origin, group.cluster), largest);
}

Int16Block PackedReferences::terms(int64_t group, int64_t origin) const {
    Int16Block block = groups_[size_t(group)].terms;
    const auto entry = size_t(group * clusters_.size() + origin);
    block.bias = largest_biases_[entry];
    block.bias_error = bias_errors_[entry];
    return block;
}

}  // namespace rote
