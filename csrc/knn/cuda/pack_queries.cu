// knn/cuda/pack_queries.cu: a chunk of queries in fp16, each with a scale of its own, and its score at every frame's
// centre. Queries without a bound go to the exact scan, those with NaN or inf are answered here.
#include <cfloat>

#include "knn/cuda/certified.cuh"

namespace rote {
namespace {

constexpr int kFramesAtOnce = 8;

// How a query is placed: like a reference for distances, with a scale of its own and without a centre for products.
struct QueryPlacing {
    double factor, scale;
    const double* centre;  // null: none

    __device__ double operator()(double value, int64_t i) const {
        return placed(value, factor, centre ? centre[i] : 0.0, scale);
    }
};

// A zero vector is equally far from everything by cosine, which no point among unit rows is: it gets no bound.
__device__ QueryPlacing place_query(KnnMetric metric, double squares, const HalfSearch& search, bool& bounded) {
    bounded = true;
    if (metric == KnnMetric::ip) return {1, unit_scale(sqrt(squares), kLargestPlacing), nullptr};
    double factor = 1;
    if (metric == KnnMetric::cosine) {
        factor = unit_factor(squares, bounded);
        bounded = bounded && squares > 0;
    }
    return {factor, search.placing->scale, search.centre};
}

template <class T>
__device__ void write_bases(const KnnProblem& problem, const HalfSearch& search, const QueryPlacing& placing,
                            const T* values, int32_t row, int lane) {
    const int64_t dim = problem.queries.columns;
    const bool squared = is_distance_score(problem.metric);
    for (int first = 0; first < search.frame_count; first += kFramesAtOnce) {
        double sums[kFramesAtOnce] = {};
        for (int64_t i = lane; i < dim; i += kWarpLanes) {
            const double value = placing(to_double(values[i]), i);
#pragma unroll
            for (int f = 0; f < kFramesAtOnce; ++f) {
                if (first + f >= search.frame_count) continue;
                const double centre = search.frames[(first + f) * dim + i], difference = value - centre;
                sums[f] += squared ? difference * difference : value * centre;
            }
        }
#pragma unroll
        for (int f = 0; f < kFramesAtOnce; ++f) {
            const double sum = warp_sum(sums[f]);
            if (lane == 0 && first + f < search.frame_count)
                search.bases[int64_t(row) * search.frame_count + first + f] = float(squared ? -0.5 * sum : sum);
        }
    }
}

// The row takes no part: zeros, and a threshold nothing reaches.
__device__ void write_empty_row(const HalfSearch& search, int32_t row, int lane) {
    for (int64_t i = lane; i < search.depth; i += kWarpLanes) search.packed_queries[row * search.depth + i] = 0;
    for (int f = lane; f < search.frame_count; f += kWarpLanes) search.bases[int64_t(row) * search.frame_count + f] = 0;
    if (lane > 0) return;
    search.query_terms[row] = {1, 0, 0, 0, 0};
    search.key_scales[row] = {};
    search.thresholds[row] = INFINITY;
    search.counts[row] = 0;
}

template <class T>
__global__ void __launch_bounds__(kRowThreads, kRowBlocks)
    pack_queries_kernel(const KnnProblem problem, const HalfSearch search) {
    const int lane = threadIdx.x % kWarpLanes;
    const int32_t row = int32_t(blockIdx.x) * kRowWarps + int32_t(threadIdx.x) / kWarpLanes;
    if (row >= search.padded_rows) return;
    if (row >= search.rows) return write_empty_row(search, row, lane);

    const int64_t query = search.first_query + row, dim = problem.queries.columns;
    const T* const values = problem.queries.row<T>(query);
    double squares = 0;
    bool finite = true;
    for (int64_t i = lane; i < dim; i += kWarpLanes) {
        const double value = to_double(values[i]);
        finite = finite && is_finite(value);
        squares += value * value;
    }
    squares = warp_sum(squares);
    if (!__all_sync(kWarp, finite)) {
        for (int64_t i = lane; i < problem.k; i += kWarpLanes) write_no_query(problem, query * problem.k + i);
        return write_empty_row(search, row, lane);
    }
    bool bounded = is_finite(squares);
    QueryPlacing placing{1, 0, nullptr};
    if (bounded) placing = place_query(problem.metric, squares, search, bounded);

    double largest = 0, placed_squares = 0, centre_product = 0;
    for (int64_t i = lane; i < dim; i += kWarpLanes) {
        const double value = placing(to_double(values[i]), i);
        largest = fabs(value) > largest ? fabs(value) : largest;
        placed_squares += value * value;
        centre_product += value * search.centre[i];
    }
    largest = warp_max(largest);
    const double norm = sqrt(warp_sum(placed_squares)) * kNormUp;
    centre_product = warp_sum(centre_product) * search.placing->scale;
    if (!bounded || !(norm <= kLargestPlaced)) {
        write_empty_row(search, row, lane);
        if (lane == 0) leave_to_exact_scan(search, row);
        return;
    }

    const float scale = packed_scale(largest);
    PackedSums sums;
    uint16_t* const out = search.packed_queries + row * search.depth;
    for (int64_t i = lane; i < search.depth; i += kWarpLanes)
        out[i] = i < dim ? sums.add(placing(to_double(values[i]), i), 0, double(scale)).bits : uint16_t(0);
    sums.placed_squares = warp_sum(sums.placed_squares);
    sums.packed_squares = warp_sum(sums.packed_squares);
    sums.residual_squares = warp_sum(sums.residual_squares);
    write_bases(problem, search, placing, values, row, lane);
    if (lane > 0) return;
    search.query_terms[row] = query_terms(problem.metric, dim, search.depth, sums, scale, *search.placing);
    search.key_scales[row] = key_scale(problem.metric, search.placing->scale, placing.scale, centre_product);
    search.thresholds[row] = -FLT_MAX;
    search.counts[row] = 0;
}

}  // namespace

void launch_pack_queries(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream) {
    visit_float_dtype(problem.queries.dtype, [&](auto element) {
        launch(pack_queries_kernel<decltype(element)>, (search.padded_rows + kRowWarps - 1) / kRowWarps, kRowThreads, 0,
               stream, problem, search);
    });
}

}  // namespace rote
