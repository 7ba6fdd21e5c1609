// knn/metric.h: what a distance means. One float64 key per pair, one order, one final rounding; host and device.
#pragma once

#include <cmath>
#include <cstdint>

#include "rote/dtype.h"
#include "rote/host_device.h"
#include "rote/knn.h"

namespace rote {

/// A sum over the elements of a pair is eight interleaved float64 sums (element i goes to sum i mod 8, separate
/// multiply and add), joined by this tree. Eight lanes are one AVX-512 register, two of AVX2 or a quarter of a warp.
constexpr int kKeyLanes = 8;

ROTE_HD double join_lanes(const double (&lane)[kKeyLanes]) {
    const double low = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const double high = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return low + high;
}

ROTE_HD bool is_squared_distance(KnnMetric metric) {
    return metric == KnnMetric::l2 || metric == KnnMetric::sqeuclidean;
}

/// Keys grow with distance. `sum` is sum (q-r)^2 for both L2 forms and sum q*r for the others; qq and cc are the
/// squared norms, read by cosine alone.
ROTE_HD double key_from_sums(KnnMetric metric, double sum, double qq, double cc) {
    if (is_squared_distance(metric)) return sum;
    if (metric == KnnMetric::ip) return sum != sum ? double(INFINITY) : -sum;  // inf - inf is the worst product
    const double norm = sqrt(qq * cc);
    double cosine = norm > 0 ? sum / norm : 0.0;  // a zero vector is at distance 1 from everything
    if (cosine != cosine) cosine = 0.0;
    cosine = cosine > 1.0 ? 1.0 : cosine;
    cosine = cosine < -1.0 ? -1.0 : cosine;
    return -cosine;
}

/// The order of results.
ROTE_HD bool comes_before(double key_a, int64_t index_a, double key_b, int64_t index_b) {
    return key_a < key_b || (key_a == key_b && index_a < index_b);
}

/// What the caller sees: the one rounding to float32.
ROTE_HD float distance_from_key(KnnMetric metric, double key) {
    if (metric == KnnMetric::l2) return float(sqrt(key));
    if (metric == KnnMetric::cosine) return float(1.0 + key);
    return metric == KnnMetric::ip ? float(0.0 - key) : float(key);
}

/// Fills the places for which no admissible reference is left.
ROTE_HD float worst_distance(KnnMetric metric) {
    return metric == KnnMetric::ip ? -INFINITY : INFINITY;
}

ROTE_HD double to_double(double value) {
    return value;
}
ROTE_HD double to_double(float value) {
    return value;
}
ROTE_HD double to_double(Half value) {
    return to_float(value);
}
ROTE_HD double to_double(BFloat16 value) {
    return to_float(value);
}

ROTE_HD bool is_finite(double value) {
    return value - value == 0.0;
}

/// What one lane adds up over its elements of a pair.
struct PairSums {
    double sum = 0, query_squares = 0, reference_squares = 0;

    ROTE_HD void add(KnnMetric metric, double q, double r) {
        const double difference = q - r;
        sum += is_squared_distance(metric) ? difference * difference : q * r;
        query_squares += q * q;
        reference_squares += r * r;
    }
};

/// The key of one pair, element by element: the definition the vectorized executors are tested against.
template <class T>
ROTE_HD double pair_key(KnnMetric metric, const T* query, const T* reference, int64_t dim) {
    PairSums lanes[kKeyLanes];
    for (int64_t i = 0; i < dim; ++i) lanes[i % kKeyLanes].add(metric, to_double(query[i]), to_double(reference[i]));
    double sum[kKeyLanes], qq[kKeyLanes], cc[kKeyLanes];
    for (int lane = 0; lane < kKeyLanes; ++lane) {
        sum[lane] = lanes[lane].sum;
        qq[lane] = lanes[lane].query_squares;
        cc[lane] = lanes[lane].reference_squares;
    }
    return key_from_sums(metric, join_lanes(sum), join_lanes(qq), join_lanes(cc));
}

}  // namespace rote
