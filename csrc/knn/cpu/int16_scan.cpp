// knn/cpu/int16_scan.cpp: docs/knn-bound.md, "The 16-bit pass".
#include "knn/cpu/int16_scan.h"

#include <algorithm>
#include <cmath>

#include "knn/admissible.h"

namespace rote {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Rounded down; float32's infinities for what lies outside its range.
float float_below(double value) {
    constexpr double kLargest = std::numeric_limits<float>::max();
    if (!(value >= -kLargest)) return -kInfinity;
    return value > kLargest ? kInfinity : round_down(value);
}

// No row of a group can score more: by the triangle inequality, or by Cauchy-Schwarz for ip.
double most_possible(KnnMetric metric, const PackedQueries& queries, int64_t position, const ReferenceGroup& group,
                     double unit) {
    if (metric == KnnMetric::ip) {
        const double shift = queries.shift(position, group.cluster);
        return shift + queries.terms(position).size * group.longest * (1 + 1e-9) + std::fabs(shift) * 1e-9;
    }
    const double distance = queries.distance(position, group.cluster);
    const double margin = 1e-7 * (distance + unit) + queries.distance_error();
    const double gap = std::max({0.0, distance - margin - group.longest, group.shortest - distance - margin});
    if (is_squared_distance(metric)) return -0.5 * gap * gap * (1 - 1e-9);
    // Of vectors no longer than 1, cos = (|q|^2 + |r|^2 - |q - r|^2) / 2.
    return unit * unit * (1 + 1e-9) - 0.5 * gap * gap * (1 - 1e-9);
}

}  // namespace

Int16Scan::Int16Scan(const Int16Search& search)
    : search_(search),
      thinning_(search.problem, search.kernels),
      zeros_(size_t(search.problem.queries.columns + 1)),
      hits_(kMaxTileHits) {}

void Int16Scan::run(int64_t first, int64_t last, const PackedReferences& references, int64_t split, int64_t splits) {
    split_ = split;
    const int32_t origin = search_.queries.cluster(first);
    const bool longest_first = search_.problem.metric == KnnMetric::ip;  // where the largest products are
    for (int32_t cluster : search_.clusters.by_distance(origin)) {
        const auto [begin, end] = references.groups_of(cluster);
        for (int64_t i = begin; i < end; ++i) {
            const int64_t at = longest_first ? begin + end - 1 - i : i;
            if (at % splits == split)
                scan_group(first, last, {references.groups()[size_t(at)], references.terms(at, origin), references});
        }
    }
    if (split != 0) return;
    for (int64_t reference : references.unbounded())
        for (int64_t position = first; position < last; ++position)
            if (search_.queries.query(position) >= 0) push(position, reference, -INFINITY, INFINITY);
}

void Int16Scan::scan_group(int64_t first, int64_t last, const Group& group) {
    const bool both = search_.self_join != nullptr;
    if (both && !look_at_columns(first, group)) return;
    active_.clear();
    for (auto* values : {&units_, &thresholds_, &row_units_, &row_offsets_}) values->clear();
    rows_.clear();
    for (int64_t position = first; position < last; ++position) activate(position, group);
    if (active_.empty()) return;
    scored_pairs_ += int64_t(active_.size()) * group.rows.count;

    const auto height = size_t(search_.kernels.int16_rows);
    while (rows_.size() % height) {  // rows that reach nothing
        rows_.push_back(zeros_.data());
        units_.push_back(1);
        thresholds_.push_back(kInfinity);
        row_units_.push_back(1);
        row_offsets_.push_back(-kInfinity);
    }
    const int64_t columns = search_.kernels.panel_columns, begin = group.rows.begin;
    const int64_t origin = search_.queries.cluster(first);
    const auto scan = both ? search_.kernels.scan_int16_both : search_.kernels.scan_int16;
    // A tile's queries stay in the first-level cache while the panels of the group pass by from the second.
    for (size_t tile = 0; tile < rows_.size(); tile += height) {
        for (int64_t slot = begin; slot < begin + group.rows.count; slot += columns) {
            Int16Tile operands{rows_.data() + tile,       group.references.panel(slot),
                               group.references.pairs(),  units_.data() + tile,
                               thresholds_.data() + tile, group.references.biases(slot, origin)};
            if (both) {
                operands.row_unit = row_units_.data() + tile;
                operands.row_offset = row_offsets_.data() + tile;
                operands.column_threshold = column_thresholds_.data() + (slot - begin);
            }
            const int count = scan(operands, hits_.data());
            if (count) take_hits(count, tile, slot, group);
        }
    }
}

// False if every pair of the group is scored from its other side.
bool Int16Scan::look_at_columns(int64_t first, const Group& group) {
    const int64_t columns = search_.kernels.panel_columns;
    const int64_t padded = (group.rows.count + columns - 1) / columns * columns;
    column_positions_.assign(size_t(padded), -1);
    column_thresholds_.assign(size_t(padded), kInfinity);
    last_column_ = -1;
    least_column_threshold_ = INFINITY;
    for (int64_t i = 0; i < group.rows.count; ++i) {
        const int64_t reference = group.references.index(group.rows.begin + i);
        const int64_t position = search_.self_join->position(reference);
        column_positions_[size_t(i)] = position;
        last_column_ = std::max(last_column_, position);
        const double threshold = search_.given_up[size_t(position)].load(std::memory_order_relaxed)
                                     ? INFINITY
                                     : search_.candidates.threshold(position) / search_.queries.terms(position).ratio;
        least_column_threshold_ = std::min(least_column_threshold_, threshold);
        // The margin holds the rounding of row_unit * threshold - row_offset; an open threshold is below everything.
        const double low = threshold - std::fabs(threshold) * 0x1p-20;
        column_thresholds_[size_t(i)] = threshold > CandidateBuffers::open_threshold() ? float_below(low) : -kInfinity;
    }
    return last_column_ >= first;
}

void Int16Scan::activate(int64_t position, const Group& group) {
    const PackedQueries& queries = search_.queries;
    if (queries.query(position) < 0) return;
    const bool both = search_.self_join != nullptr;
    const bool given_up = search_.given_up[size_t(row(position))].load(std::memory_order_relaxed);
    if (both ? position > last_column_ : given_up) return;
    const Int16Query& query = queries.terms(position);
    const double shift = queries.shift(position, group.rows.cluster), unit = search_.clusters.scale();
    const double slack =
        int16_slack(search_.problem.metric, search_.problem.queries.columns, query, group.block, shift, unit);
    const double most = most_possible(search_.problem.metric, queries, position, group.rows, unit) + slack;
    const bool reaches_row = !given_up && most >= search_.candidates.threshold(row(position));
    if (!reaches_row && !(both && most / query.ratio >= least_column_threshold_)) return;

    const double error = int16_error(query, group.block), scales = query.scale * group.block.scale;
    active_.push_back({position, slack, error, shift, 1 / scales, error / scales + slack});
    rows_.push_back(queries.row(position));
    units_.push_back(float(query.scale * query.ratio));
    thresholds_.push_back(kInfinity);
    if (reaches_row) set_threshold(active_.size() - 1, group);
    if (!both) return;
    const double offset = scales * (shift + slack) + error;
    row_units_.push_back(float(scales * query.ratio));
    row_offsets_.push_back(-float_below(-(offset + std::fabs(offset) * 0x1p-20)));
}

void Int16Scan::set_threshold(size_t active, const Group& group) {
    const Active& row = active_[active];
    const int64_t at = this->row(row.position);
    if (search_.given_up[size_t(at)].load(std::memory_order_relaxed)) {
        thresholds_[active] = kInfinity;
        return;
    }
    const PackedQueries& queries = search_.queries;
    const double needed =
        search_.candidates.threshold(at) - queries.shift(row.position, group.rows.cluster) - row.slack;
    const double value = needed * (queries.terms(row.position).scale * group.block.scale) - row.error;
    thresholds_[active] = std::max(float_below(value), -std::numeric_limits<float>::max());
}

void Int16Scan::take_hits(int count, size_t first_active, int64_t slot, const Group& group) {
    const PackedQueries& queries = search_.queries;
    for (int h = 0; h < count; ++h) {
        const TileHit& hit = hits_[size_t(h)];
        const size_t active = first_active + size_t(hit.row);
        const Active& row = active_[active];
        const int64_t reference = group.references.index(slot + hit.column);
        const double score = double(hit.upper) * row.unit + row.shift, width = row.width;
        const int64_t column =
            search_.self_join ? column_positions_[size_t(slot - group.rows.begin + hit.column)] : row.position;
        if (column < row.position) continue;     // scored from the other side
        if (hit.upper >= thresholds_[active] &&  // not raised by an earlier hit of this tile
            push(row.position, reference, score - width, score + width))
            set_threshold(active, group);
        if (column == row.position) continue;
        const double ratio = queries.terms(column).ratio / queries.terms(row.position).ratio;
        if ((score + width) * ratio >= search_.candidates.threshold(column))
            push(column, queries.query(row.position), (score - width) * ratio, (score + width) * ratio);
    }
}

bool Int16Scan::push(int64_t position, int64_t reference, double lower, double upper) {
    const int64_t row = this->row(position), query = search_.queries.query(position);
    std::atomic<bool>& given_up = search_.given_up[size_t(row)];
    if (given_up.load(std::memory_order_relaxed) || !is_admissible(search_.problem, query, reference)) return false;
    const SelfJoin::Lock lock(search_.self_join, position);
    const Candidate candidate = Candidate::between(reference, lower, upper);
    if (!search_.candidates.push(row, query, candidate, thinning_)) return false;
    if (search_.candidates.unseparated(row) > search_.unseparated_limit)
        given_up.store(true, std::memory_order_relaxed);
    return true;
}

}  // namespace rote
