// knn/int16_scan.cpp: docs/knn-bound.md, "The 16-bit pass".
#include "knn/int16_scan.h"

#include <algorithm>
#include <cmath>

#include "knn/admissible.h"

namespace rote {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Rounded down, inside float32; below every real value the threshold is open.
float tile_threshold(double value) {
    constexpr double kLargest = std::numeric_limits<float>::max();
    if (!(value > -kLargest)) return float(-kLargest);
    return value > kLargest ? kInfinity : round_down(value);
}

}  // namespace

Int16Scan::Int16Scan(const Int16Search& search)
    : search_(search),
      thinning_(search.problem, search.kernels),
      zeros_(size_t(search.problem.queries.columns + 1)),
      hits_(kMaxTileHits) {}

void Int16Scan::run(int64_t first, int64_t last, const PackedReferences& references, int64_t split, int64_t splits) {
    split_ = split;
    for (int32_t cluster : search_.clusters.by_distance(search_.queries.cluster(first))) {
        const auto [begin, end] = references.groups_of(cluster);
        for (int64_t group = begin + (split + splits - begin % splits) % splits; group < end; group += splits)
            scan_group(first, last, references, group);
    }
    if (split != 0) return;
    for (int64_t reference : references.unbounded())
        for (int64_t position = first; position < last; ++position)
            if (search_.queries.query(position) >= 0)
                push(position, {std::numeric_limits<double>::quiet_NaN(), reference, -INFINITY, INFINITY});
}

void Int16Scan::scan_group(int64_t first, int64_t last, const PackedReferences& references, int64_t at) {
    const ReferenceGroup& group = references.groups()[size_t(at)];
    const Int16Block block = references.terms(at, search_.queries.cluster(first));
    active_.clear();
    rows_.clear();
    units_.clear();
    thresholds_.clear();
    for (int64_t position = first; position < last; ++position) activate(position, group, block);
    if (active_.empty()) return;
    scored_pairs_ += int64_t(active_.size()) * group.count;

    const auto height = size_t(search_.kernels.int16_rows);
    while (rows_.size() % height) {
        rows_.push_back(zeros_.data());
        units_.push_back(1);
        thresholds_.push_back(kInfinity);
    }
    const int64_t columns = search_.kernels.panel_columns, origin = search_.queries.cluster(first);
    // A tile's queries stay in the first-level cache while the panels of the group pass by from the second.
    for (size_t tile = 0; tile < rows_.size(); tile += height) {
        for (int64_t slot = group.begin; slot < group.begin + group.count; slot += columns) {
            const Int16Tile operands{rows_.data() + tile,  references.panel(slot),    references.pairs(),
                                     units_.data() + tile, thresholds_.data() + tile, references.biases(slot, origin)};
            const int count = search_.kernels.scan_int16(operands, hits_.data());
            if (count) take_hits(count, tile, slot, references, block, group.cluster);
        }
    }
}

void Int16Scan::activate(int64_t position, const ReferenceGroup& group, const Int16Block& block) {
    const PackedQueries& queries = search_.queries;
    if (queries.query(position) < 0 || search_.given_up[size_t(row(position))]) return;
    const Int16Query& query = queries.terms(position);
    const double shift = queries.shift(position, group.cluster);
    const double slack = int16_slack(search_.problem.metric, search_.problem.queries.columns, query, block, shift,
                                     search_.clusters.scale());
    if (most_possible(position, group) + slack < search_.candidates.threshold(row(position))) return;
    active_.push_back({position, slack, int16_error(query, block)});
    rows_.push_back(queries.row(position));
    units_.push_back(float(query.scale * query.ratio));
    thresholds_.push_back(0);
    set_threshold(active_.size() - 1, block, group.cluster);
}

// No row of a group can score more: by the triangle inequality, or by Cauchy-Schwarz for ip.
double Int16Scan::most_possible(int64_t position, const ReferenceGroup& group) const {
    const PackedQueries& queries = search_.queries;
    if (search_.problem.metric == KnnMetric::ip) {
        const double shift = queries.shift(position, group.cluster);
        return shift + queries.terms(position).size * group.longest * (1 + 1e-9) + std::fabs(shift) * 1e-9;
    }
    const double distance = queries.distance(position, group.cluster);
    const double margin = 1e-7 * (distance + search_.clusters.scale());
    const double gap = std::max({0.0, distance - margin - group.longest, group.shortest - distance - margin});
    if (is_squared_distance(search_.problem.metric)) return -0.5 * gap * gap * (1 - 1e-9);
    // Of vectors no longer than 1, cos = (|q|^2 + |r|^2 - |q - r|^2) / 2.
    const double unit = search_.clusters.scale();
    return unit * unit * (1 + 1e-9) - 0.5 * gap * gap * (1 - 1e-9);
}

void Int16Scan::set_threshold(size_t active, const Int16Block& block, int32_t cluster) {
    const Active& row = active_[active];
    const PackedQueries& queries = search_.queries;
    const double needed =
        search_.candidates.threshold(this->row(row.position)) - queries.shift(row.position, cluster) - row.slack;
    thresholds_[active] = tile_threshold(needed * (queries.terms(row.position).scale * block.scale) - row.error);
}

void Int16Scan::take_hits(int count, size_t first_active, int64_t slot, const PackedReferences& references,
                          const Int16Block& block, int32_t cluster) {
    for (int h = 0; h < count; ++h) {
        const TileHit& hit = hits_[size_t(h)];
        const size_t active = first_active + size_t(hit.row);
        if (hit.upper < thresholds_[active]) continue;  // raised by an earlier hit of this tile
        const Active& row = active_[active];
        const double unit = search_.queries.terms(row.position).scale * block.scale;
        const double score = double(hit.upper) / unit + search_.queries.shift(row.position, cluster);
        const double width = row.error / unit + row.slack;
        push(row.position, {std::numeric_limits<double>::quiet_NaN(), references.index(slot + hit.column),
                            score - width, score + width});
        if (search_.given_up[size_t(this->row(row.position))])
            thresholds_[active] = kInfinity;
        else
            set_threshold(active, block, cluster);
    }
}

void Int16Scan::push(int64_t position, const Candidate& candidate) {
    const int64_t row = this->row(position), query = search_.queries.query(position);
    uint8_t& given_up = search_.given_up[size_t(row)];
    if (given_up || !is_admissible(search_.problem, query, candidate.index)) return;
    if (search_.candidates.push(row, query, candidate, thinning_) &&
        search_.candidates.exact_keys(row) > search_.exact_keys_limit)
        given_up = 1;
}

}  // namespace rote
