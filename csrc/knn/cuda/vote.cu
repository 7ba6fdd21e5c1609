// knn/cuda/vote.cu: the vote on the device. The search leaves keys and indices of a block of queries in the workspace;
// one warp per query adds them up, every class in the hands of one lane, so that a sum's order is the neighbours'.
#include <cuda_runtime.h>

#include <algorithm>

#include "knn/vote.h"
#include "rote/error.h"
#include "rote/knn.h"

namespace rote {
namespace {

constexpr int kThreads = 256;
constexpr int kLanes = 32;
constexpr int64_t kWarpsPerBlock = kThreads / kLanes;
constexpr int64_t kMaxWarps = 8448;                     // 64 per multiprocessor of the largest device
constexpr int64_t kNeighborBytes = int64_t(128) << 20;  // keys and indices of a block of queries
constexpr int64_t kLeastQueries = 128;                  // of a block, however large k is
constexpr int64_t kSumBytes = int64_t(64) << 20;        // sums of the classes where no scores are wanted
constexpr int kSizesPerLaunch = 64;                     // several k travel as kernel arguments
constexpr unsigned kWarp = 0xffffffffu;

int64_t queries_per_block(int64_t num_queries, int64_t k) {
    const int64_t wanted = kNeighborBytes / (int64_t(sizeof(double) + sizeof(int64_t)) * k);
    return std::min(num_queries, std::max(wanted, kLeastQueries));
}

int64_t warp_count(int64_t num_queries, int64_t num_classes, bool with_scores) {
    int64_t warps = std::min(num_queries, kMaxWarps);
    if (!with_scores) {
        const int64_t fitting = kSumBytes / (int64_t(sizeof(double)) * num_classes);
        warps = std::min(warps, std::max(fitting, kWarpsPerBlock));
    }
    return (warps + kWarpsPerBlock - 1) / kWarpsPerBlock * kWarpsPerBlock;
}

int64_t aligned(int64_t bytes) {
    return (bytes + 255) / 256 * 256;
}

/// The neighbours of a block of queries and where their votes go.
struct BlockVote {
    VoteProblem vote;  // `ks` points to host memory: see `sizes`
    KnnMetric metric;
    int64_t k;
    int64_t first_query, num_queries;
    const double* keys;      // [num_queries, k]
    const int64_t* indices;  // [num_queries, k], -1 in the tail
    double* sums;            // [warps, num_classes] where there are no scores
    int num_sizes, first_size;
    int64_t sizes[kSizesPerLaunch];
};

/// The class of a neighbour, or -1: no neighbour, or a label that is no class.
__device__ int64_t class_of(const BlockVote& block, int64_t row, int64_t rank) {
    if (rank >= block.k) return -1;
    const int64_t index = block.indices[row * block.k + rank];
    if (index < 0) return -1;
    const int64_t label = block.vote.labels[index];
    return is_class(block.vote, label) ? label : -1;
}

/// Adds the neighbours of ranks [begin, end) to the sums; a lane adds for the classes that are its own modulo 32.
__device__ void add_votes(const BlockVote& block, int64_t row, int64_t begin, int64_t end, double* sums, int lane) {
    const double* const keys = block.keys + row * block.k;
    for (int64_t base = begin; base < end; base += kLanes) {
        const int64_t rank = base + lane;
        const int64_t label = rank < end ? class_of(block, row, rank) : -1;
        const double weight = label < 0 ? 0.0 : vote_weight(block.vote, block.metric, keys[rank], keys[0]);
        for (int i = 0; i < kLanes; ++i) {
            const int64_t their_label = __shfl_sync(kWarp, label, i);
            const double their_weight = __shfl_sync(kWarp, weight, i);
            if (their_label >= 0 && int(their_label & (kLanes - 1)) == lane) sums[their_label] += their_weight;
        }
    }
}

/// The class that leads after `count` neighbours; the same in every lane.
__device__ int64_t winner_among(const BlockVote& block, int64_t row, int64_t count, const double* sums, int lane) {
    double most = 0;
    int64_t winner = -1;
    for (int64_t rank = lane; rank < count; rank += kLanes) {
        const int64_t label = class_of(block, row, rank);
        if (label >= 0 && leads(sums[label], label, most, winner)) most = sums[label], winner = label;
    }
    for (int offset = kLanes / 2; offset > 0; offset /= 2) {
        const double their_most = __shfl_xor_sync(kWarp, most, offset);
        const int64_t their_winner = __shfl_xor_sync(kWarp, winner, offset);
        if (leads(their_most, their_winner, most, winner)) most = their_most, winner = their_winner;
    }
    return winner;
}

__global__ void __launch_bounds__(kThreads, 1) vote_kernel(const BlockVote block) {
    const int lane = threadIdx.x % kLanes;
    const int64_t warp = (int64_t(blockIdx.x) * kThreads + threadIdx.x) / kLanes;
    const int64_t warps = int64_t(gridDim.x) * kWarpsPerBlock, classes = block.vote.num_classes;
    double* const own_sums = block.vote.scores ? nullptr : block.sums + warp * classes;
    if (own_sums)
        for (int64_t label = lane; label < classes; label += kLanes) own_sums[label] = 0;

    for (int64_t row = warp; row < block.num_queries; row += warps) {
        const int64_t query = block.first_query + row;
        double* sums = own_sums;
        int64_t cast = 0;
        for (int size = 0; size < block.num_sizes; ++size) {
            const int64_t at = (block.first_size + size) * block.vote.num_queries + query;
            if (!own_sums) {
                double* const scores = block.vote.scores + at * classes;
                for (int64_t label = lane; label < classes; label += kLanes) scores[label] = sums ? sums[label] : 0.0;
                sums = scores;
            }
            __syncwarp();  // sums of all lanes are read below, and have been read before they grow
            add_votes(block, row, cast, block.sizes[size], sums, lane);
            cast = block.sizes[size];
            if (block.vote.winners) {
                __syncwarp();
                const int64_t winner = winner_among(block, row, cast, sums, lane);
                if (lane == 0) block.vote.winners[at] = winner;
            }
        }
        if (own_sums) {
            __syncwarp();
            for (int64_t rank = lane; rank < cast; rank += kLanes) {
                const int64_t label = class_of(block, row, rank);
                if (label >= 0) own_sums[label] = 0;
            }
        }
    }
}

void launch_votes(BlockVote block, int64_t warps, cudaStream_t stream) {
    const VoteProblem& vote = block.vote;
    for (int64_t first = 0; first < vote.num_ks; first += kSizesPerLaunch) {
        block.first_size = int(first);
        block.num_sizes = int(std::min<int64_t>(kSizesPerLaunch, vote.num_ks - first));
        std::copy_n(vote.ks + first, block.num_sizes, block.sizes);
        vote_kernel<<<unsigned(warps / kWarpsPerBlock), kThreads, 0, stream>>>(block);
        ROTE_CUDA_CHECK(cudaGetLastError());
    }
}

/// The search of queries [first, first + count) alone.
KnnProblem block_of_queries(const KnnProblem& problem, int64_t first, int64_t count) {
    KnnProblem block = problem;
    visit_float_dtype(problem.queries.dtype,
                      [&](auto element) { block.queries.data = problem.queries.row<decltype(element)>(first); });
    block.queries.rows = count;
    if (problem.exclude) block.exclude = problem.exclude + first;
    if (problem.query_groups) block.query_groups = problem.query_groups + first;
    block.distances = nullptr;
    block.vote = nullptr;
    return block;
}

}  // namespace

int64_t knn_vote_workspace_bytes(int64_t num_queries, int64_t num_references, int64_t dim, int64_t k,
                                 int64_t num_classes, bool with_scores, const std::string& path) {
    if (num_queries == 0) return 0;
    const int64_t rows = queries_per_block(num_queries, k), rest = num_queries % rows;
    const int64_t search = std::max(knn_workspace_bytes(rows, num_references, dim, k, path),
                                    rest ? knn_workspace_bytes(rest, num_references, dim, k, path) : 0);
    const int64_t sums = with_scores ? 0 : warp_count(rows, num_classes, false) * num_classes * int64_t(sizeof(double));
    return 2 * aligned(rows * k * int64_t(sizeof(double))) + aligned(sums) + search;
}

void knn_vote_cuda(const KnnProblem& problem, void* workspace, void* stream, const std::string& path) {
    check_vote_problem(problem);
    const int64_t queries = problem.queries.rows, k = problem.k;
    if (queries == 0) return;
    const bool with_scores = problem.vote->scores != nullptr;
    const int64_t rows = queries_per_block(queries, k);
    const int64_t warps = warp_count(rows, problem.vote->num_classes, with_scores);
    char* at = static_cast<char*>(workspace);
    const auto take = [&](int64_t bytes) {
        char* const piece = at;
        at += aligned(bytes);
        return piece;
    };
    double* const keys = reinterpret_cast<double*>(take(rows * k * int64_t(sizeof(double))));
    int64_t* const indices = reinterpret_cast<int64_t*>(take(rows * k * int64_t(sizeof(int64_t))));
    double* const sums =
        reinterpret_cast<double*>(take(with_scores ? 0 : warps * problem.vote->num_classes * int64_t(sizeof(double))));

    for (int64_t first = 0; first < queries; first += rows) {
        const int64_t count = std::min(rows, queries - first);
        KnnProblem search = block_of_queries(problem, first, count);
        search.keys = keys;
        search.indices = indices;
        knn_search_cuda(search, at, stream, path);
        BlockVote block{};
        block.vote = *problem.vote;
        block.metric = problem.metric;
        block.k = k;
        block.first_query = first, block.num_queries = count;
        block.keys = keys, block.indices = indices, block.sums = sums;
        launch_votes(block, warps, static_cast<cudaStream_t>(stream));
    }
}

}  // namespace rote
