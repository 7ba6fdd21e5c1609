// knn/vote.h: what a neighbour's vote counts, in float64 from its key; host and device.
#pragma once

#include <cstdint>
#include <cstring>

#include "knn/metric.h"
#include "rote/host_device.h"
#include "rote/knn.h"
#include "runtime/exp_series.h"

namespace rote {

/// e^x for x <= 0, the same bits everywhere: only + - * and bits. Within one unit of the last place (half of one from
/// the last sum, the rest from t and the polynomial; at most 0.96 of 2 * 10^7 arguments compared with long double),
/// results below 2^-1022 within one subnormal step. 0 below -745.14; NaN stays NaN.
ROTE_HD double exp_of_nonpositive(double x) {
    if (x < -745.14) return 0.0;
    if (!(x <= 0.0)) return x != x ? x : 1.0;
    // x = n ln 2 + t, |t| <= ln(2) / 2 and a little. The first part of ln 2 has 32 bits, so that n times it is exact.
    const int n = int(x * 1.44269504088896340736 - 0.5);
    const double t = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
    const double value = exp_near_zero(t);
    // 2^n in two normal factors: n reaches -1075.
    const int half = n / 2;
    const uint64_t bits[2] = {uint64_t(1023 + half) << 52, uint64_t(1023 + n - half) << 52};
    double scale[2];
    memcpy(scale, bits, sizeof scale);
    return value * scale[0] * scale[1];
}

/// The distance before its rounding to float32; for ip minus the product.
ROTE_HD double vote_distance(KnnMetric metric, double key) {
    if (metric == KnnMetric::l2) return sqrt(key);
    return metric == KnnMetric::cosine ? 1.0 + key : key;
}

/// The weight of the neighbour with this key in the row whose nearest has `first_key`, finite and >= 0.
///
/// uniform: 1. distance: 1 / distance; where that is infinite for the nearest, such neighbours count 1 and all others 0
/// (as scikit-learn). softmax: exp((s - s_max) / temperature), s = cos, the product, or minus the distance.
ROTE_HD double vote_weight(const VoteProblem& vote, KnnMetric metric, double key, double first_key) {
    if (vote.weights == VoteWeights::uniform) return 1.0;
    if (vote.weights == VoteWeights::distance) {
        const double weight = 1.0 / vote_distance(metric, key);
        if (is_finite(1.0 / vote_distance(metric, first_key))) return weight;
        return is_finite(weight) ? 0.0 : 1.0;
    }
    if (key == first_key) return 1.0;  // also where both are infinite
    const double ahead = metric == KnnMetric::l2 ? sqrt(first_key) - sqrt(key) : first_key - key;
    return exp_of_nonpositive(ahead / vote.temperature);
}

/// The order of classes: more votes first, then the smaller class. Classes without votes never lead.
ROTE_HD bool leads(double votes, int64_t label, double best_votes, int64_t best_label) {
    return votes > best_votes || (votes == best_votes && best_votes > 0 && label < best_label);
}

ROTE_HD bool is_class(const VoteProblem& vote, int64_t label) {
    return label >= 0 && label < vote.num_classes;
}

struct Neighbor;

/// Writes one row of the scores and winners of `problem.vote` from the row's `count` neighbours in order.
void cast_votes(const KnnProblem& problem, int64_t query, const Neighbor* neighbors, int64_t count);

/// Everything but the labels' values; ArgumentError names what is wrong.
void check_vote_problem(const KnnProblem& problem);

}  // namespace rote
