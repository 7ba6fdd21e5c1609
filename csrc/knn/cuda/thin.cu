// knn/cuda/thin.cu: after a slice of the pass, each row's candidates raise its threshold, and those it rules out leave.
// Where the bounds separate too few, float64 keys decide and the k nearest stay. One warp per row.
#include "knn/cuda/rank.cuh"

namespace rote {
namespace {

constexpr int kSharedLowers = 2048;  // per warp; larger buffers keep their lower bounds in the warp's global room

// Floats as integers of the same order.
__device__ __forceinline__ uint32_t ordered_bits(float value) {
    const uint32_t bits = float_bits(value);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

__device__ __forceinline__ float from_ordered_bits(uint32_t ordered) {
    return float_from_bits(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}

__device__ __forceinline__ ScoreInterval interval_of(const HalfSearch& search, int32_t row, const QueryTerms& query,
                                                     const PassCandidate& candidate) {
    const BlockTerms block = search.blocks[candidate.position / kBlockReferences];
    return score_interval(query, block, search.bases[int64_t(row) * search.frame_count + block.frame], candidate.score);
}

// The k-th largest of `count` >= k lower bounds, bit by bit.
__device__ float kth_largest(const uint32_t* lowers, int32_t count, int32_t k, int lane) {
    uint32_t prefix = 0;
    for (int bit = 31; bit >= 0; --bit) {
        const uint32_t trial = prefix | (1u << bit);
        unsigned reached = 0;
        for (int32_t i = lane; i < count; i += kWarpLanes) reached += lowers[i] >= trial;
        if (__reduce_add_sync(kWarp, reached) >= unsigned(k)) prefix = trial;
    }
    return from_ordered_bits(prefix);
}

// Candidates whose upper bound reaches the threshold, moved to the front.
__device__ int32_t drop_below(const HalfSearch& search, int32_t row, const QueryTerms& query, float threshold,
                              PassCandidate* candidates, int32_t count, int lane) {
    int32_t kept = 0;
    for (int32_t base = 0; base < count; base += kWarpLanes) {
        PassCandidate candidate{};
        bool keep = base + lane < count;
        if (keep) {
            candidate = candidates[base + lane];
            keep = interval_of(search, row, query, candidate).upper >= threshold;
        }
        const unsigned votes = __ballot_sync(kWarp, keep);
        if (keep) candidates[kept + __popc(votes & ((1u << lane) - 1u))] = candidate;
        kept += __popc(votes);
        __syncwarp();
    }
    return kept;
}

// The k nearest by key, and a threshold from the last of them.
template <class T>
__device__ float keep_nearest(const KnnProblem& problem, const HalfSearch& search, int32_t row,
                              PassCandidate* candidates, int32_t count, RankedCandidate* ranked, int lane) {
    for (int32_t i = lane; i < count; i += kWarpLanes) {
        const PassCandidate candidate = candidates[i];
        ranked[i] = {0, search.order[candidate.position], candidate.position, candidate.score};
    }
    __syncwarp();
    compute_keys<T>(problem, search.first_query + row, ranked, count);
    sort_ranked(ranked, count);
    const int32_t k = int32_t(problem.k);
    for (int32_t i = lane; i < k; i += kWarpLanes) candidates[i] = {ranked[i].position, ranked[i].score};
    return float_below(search.key_scales[row].score(ranked[k - 1].key));
}

template <class T>
__global__ void __launch_bounds__(kRankThreads, kRankBlocks)
    thin_kernel(const KnnProblem problem, const HalfSearch search, int32_t exact_above) {
    uint32_t* const shared_lowers = reinterpret_cast<uint32_t*>(dynamic_shared());
    const int lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    const int32_t own = int32_t(blockIdx.x) * kRankWarps + warp;
    RankedCandidate* const ranked = ranked_of_warp(search, own);
    uint32_t* const lowers =
        search.capacity <= kSharedLowers ? shared_lowers + warp * search.capacity : reinterpret_cast<uint32_t*>(ranked);
    const int32_t k = int32_t(problem.k);
    int64_t compactions = 0, exact_compactions = 0, exact_keys = 0, overflowed = 0;
    for (int32_t row = own; row < search.rows; row += int32_t(gridDim.x) * kRankWarps) {
        float threshold = search.thresholds[row];
        const int32_t count = search.counts[row];
        __syncwarp();  // read by all lanes before one of them writes
        if (threshold == INFINITY) continue;
        if (count > search.capacity) {
            ++overflowed;
            if (lane == 0) leave_to_exact_scan(search, row);
            continue;
        }
        PassCandidate* const candidates = search.candidates + int64_t(row) * search.capacity;
        const QueryTerms query = search.query_terms[row];
        int32_t kept = count;
        if (count > k) {
            ++compactions;
            for (int32_t i = lane; i < count; i += kWarpLanes)
                lowers[i] = ordered_bits(interval_of(search, row, query, candidates[i]).lower);
            __syncwarp();
            threshold = fmaxf(threshold, kth_largest(lowers, count, k, lane));
            kept = drop_below(search, row, query, threshold, candidates, count, lane);
            if (kept > exact_above) {
                ++exact_compactions;
                exact_keys += kept;
                threshold = fmaxf(threshold, keep_nearest<T>(problem, search, row, candidates, kept, ranked, lane));
                kept = k;
            }
        }
        __syncwarp();
        if (lane == 0) {
            search.counts[row] = kept;
            search.thresholds[row] = threshold;
        }
    }
    if (lane > 0) return;
    count_stat(search, KnnDeviceStat::compactions, compactions);
    count_stat(search, KnnDeviceStat::exact_compactions, exact_compactions);
    count_stat(search, KnnDeviceStat::exact_keys, exact_keys);
    count_stat(search, KnnDeviceStat::overflowed_rows, overflowed);
}

}  // namespace

void launch_thin(const KnnProblem& problem, const HalfSearch& search, int32_t exact_above, cudaStream_t stream) {
    const size_t shared =
        search.capacity <= kSharedLowers ? size_t(kRankWarps * search.capacity) * sizeof(uint32_t) : 0;
    visit_float_dtype(problem.queries.dtype, [&](auto element) {
        launch(thin_kernel<decltype(element)>, search.rank_warps / kRankWarps, kRankThreads, shared, stream, problem,
               search, exact_above);
    });
}

}  // namespace rote
