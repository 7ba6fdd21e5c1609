// knn/cuda/rerank.cu: the float64 keys of every row's last candidates, in order, are the result. One warp per row.
#include "knn/cuda/rank.cuh"

namespace rote {
namespace {

// References without a bound stand behind the candidates of the pass; returns how many there are now.
__device__ int32_t append_unbounded(const KnnProblem& problem, const HalfSearch& search, int64_t query,
                                    RankedCandidate* ranked, int32_t count, int32_t unbounded, int lane) {
    for (int32_t base = 0; base < unbounded; base += kWarpLanes) {
        const int32_t reference = base + lane < unbounded ? search.unbounded[base + lane] : -1;
        const bool wanted = reference >= 0 && is_admissible(problem, query, reference);
        const unsigned votes = __ballot_sync(kWarp, wanted);
        if (wanted) ranked[count + __popc(votes & ((1u << lane) - 1u))] = {0, reference, -1, 0};
        count += __popc(votes);
    }
    return count;
}

template <class T>
__global__ void __launch_bounds__(kRankThreads, kRankBlocks)
    rerank_kernel(const KnnProblem problem, const HalfSearch search) {
    const int lane = threadIdx.x % kWarpLanes;
    const int32_t own = int32_t(blockIdx.x) * kRankWarps + int32_t(threadIdx.x) / kWarpLanes;
    RankedCandidate* const ranked = ranked_of_warp(search, own);
    const int32_t unbounded = *search.unbounded_count;
    int64_t settled = 0, exact_keys = 0;
    for (int32_t row = own; row < search.rows; row += int32_t(gridDim.x) * kRankWarps) {
        const float threshold = search.thresholds[row];
        __syncwarp();  // read by all lanes before one of them writes
        if (threshold == INFINITY) continue;
        int32_t count = search.counts[row];
        if (unbounded > kMostUnbounded || count + unbounded > search.capacity) {
            if (lane == 0) leave_to_exact_scan(search, row);
            continue;
        }
        const int64_t query = search.first_query + row;
        for (int32_t i = lane; i < count; i += kWarpLanes) {
            const int32_t position = search.candidates[int64_t(row) * search.capacity + i].position;
            ranked[i] = {0, search.order[position], position, 0};
        }
        count = append_unbounded(problem, search, query, ranked, count, unbounded, lane);
        __syncwarp();
        compute_keys<T>(problem, query, ranked, count);
        sort_ranked(ranked, count);
        for (int64_t i = lane; i < problem.k; i += kWarpLanes) {
            const bool found = i < count;
            write_neighbor(problem, query * problem.k + i, found, found ? ranked[i].key : 0.0,
                           found ? int64_t(ranked[i].index) : -1);
        }
        __syncwarp();  // the room is free again
        ++settled;
        exact_keys += count;
    }
    if (lane > 0) return;
    count_stat(search, KnnDeviceStat::rows_float16, settled);
    count_stat(search, KnnDeviceStat::exact_keys, exact_keys);
}

}  // namespace

void launch_rerank(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream) {
    visit_float_dtype(problem.queries.dtype, [&](auto element) {
        launch(rerank_kernel<decltype(element)>, search.rank_warps / kRankWarps, kRankThreads, 0, stream, problem,
               search);
    });
}

}  // namespace rote
