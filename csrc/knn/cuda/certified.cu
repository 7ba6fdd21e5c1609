// knn/cuda/certified.cu: the workspace and the launches of a certified search, in the order of docs/knn-cuda.md. The
// sequence depends on shapes alone, so a CUDA graph may hold it.
#include <algorithm>

#include "knn/cuda/certified.cuh"

namespace rote {
namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kRankBytes = int64_t(64) << 20;
constexpr int64_t kMostRankWarps = 2112, kLeastRankWarps = 64;  // sixteen per multiprocessor of a large device

// Cuts a workspace into arrays; with a null base it only measures.
class Workspace {
  public:
    explicit Workspace(void* base) : base_(static_cast<uint8_t*>(base)) {}

    template <class T>
    void take(T*& pointer, int64_t count) {
        pointer = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
        used_ += (count * int64_t(sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    }

    int64_t used() const { return used_; }

  private:
    uint8_t* base_;
    int64_t used_ = 0;
};

int64_t lay_out(HalfSearch& search, const HalfPlan& plan, void* base) {
    Workspace workspace(base);
    const int64_t positions = plan.positions(), rows = plan.chunk_rows, frames = plan.frames;
    workspace.take(search.centre, plan.dim);
    workspace.take(search.placing, 1);
    workspace.take(search.frames, frames * plan.dim);
    workspace.take(search.frame_norms, frames);
    workspace.take(search.sort_keys, plan.references);
    workspace.take(search.factors, plan.references);
    workspace.take(search.bins, kSortBins);
    workspace.take(search.order, positions);
    workspace.take(search.packed_references, positions * plan.depth);
    workspace.take(search.biases, positions);
    workspace.take(search.blocks, plan.blocks);
    workspace.take(search.unbounded, kMostUnbounded);
    workspace.take(search.unbounded_count, 1);
    workspace.take(search.packed_queries, rows * plan.depth);
    workspace.take(search.query_terms, rows);
    workspace.take(search.key_scales, rows);
    workspace.take(search.thresholds, rows);
    workspace.take(search.bases, rows * frames);
    workspace.take(search.counts, rows);
    workspace.take(search.candidates, rows * plan.capacity);
    workspace.take(search.exact_rows, rows);
    workspace.take(search.exact_count, 1);
    const int64_t warps = std::clamp(kRankBytes / (plan.capacity * int64_t(sizeof(RankedCandidate))) / 4 * 4,
                                     kLeastRankWarps, kMostRankWarps);
    search.rank_warps = int32_t(std::min(warps, rows));
    workspace.take(search.ranked, search.rank_warps * plan.capacity);
    uint8_t* exact = nullptr;
    workspace.take(exact, exact_scan_bytes(rows, plan.k));
    search.exact_workspace = exact;

    search.frame_count = int32_t(frames);
    search.capacity = int32_t(plan.capacity);
    search.block_count = int32_t(plan.blocks);
    search.mixed_blocks = int32_t(plan.mixed_blocks);
    search.mixed_rows = int32_t(plan.mixed_rows());
    search.depth = plan.depth;
    search.multiplier = plan.multiplier;
    search.stride = plan.stride;
    return workspace.used();
}

PassOperands pass_operands(const KnnProblem& problem, const HalfSearch& search) {
    PassOperands pass{};
    pass.queries = search.packed_queries;
    pass.references = search.packed_references;
    pass.depth = search.depth;
    pass.query_tiles = search.padded_rows / kTileQueries;
    pass.query_terms = search.query_terms;
    pass.thresholds = search.thresholds;
    pass.bases = search.bases;
    pass.frames = search.frame_count;
    pass.block_terms = search.blocks;
    pass.biases = search.biases;
    pass.order = search.order;
    pass.candidates = search.candidates;
    pass.counts = search.counts;
    pass.capacity = search.capacity;
    pass.first_query = search.first_query;
    pass.exclude = problem.exclude;
    pass.query_groups = problem.query_groups;
    pass.reference_groups = problem.reference_groups;
    return pass;
}

// How many candidates may stay without keys. Before the last slice, by far the longest, the threshold is made as sharp
// as it can be; the last one is followed by the reranking, which computes all keys anyway.
int32_t exact_above(const HalfPlan& plan, size_t slice) {
    if (slice + 1 == plan.slices.size()) return int32_t(plan.capacity);
    if (slice + 2 == plan.slices.size()) return int32_t(2 * plan.k + 32);
    return int32_t(plan.capacity / 2);
}

void search_chunk(const KnnProblem& problem, const HalfPlan& plan, const HalfSearch& search, cudaStream_t stream,
                  PassLaunch pass_launch) {
    ROTE_CUDA_CHECK(cudaMemsetAsync(search.exact_count, 0, sizeof(int32_t), stream));
    launch_pack_queries(problem, search, stream);
    PassOperands pass = pass_operands(problem, search);
    for (size_t slice = 0; slice < plan.slices.size(); ++slice) {
        pass.first_block = slice ? int32_t(plan.slices[slice - 1]) : 0;
        pass.last_block = int32_t(plan.slices[slice]);
        pass_launch(pass, stream);
        launch_thin(problem, search, exact_above(plan, slice), stream);
    }
    launch_rerank(problem, search, stream);
    launch_exact_scan(problem, {search.exact_rows, search.exact_count, search.first_query, search.rows},
                      search.exact_workspace, stream);
}

__global__ void count_unbounded_kernel(const HalfSearch search) {
    count_stat(search, KnnDeviceStat::unbounded_references, *search.unbounded_count);
}

}  // namespace

int64_t certified_search_bytes(const HalfPlan& plan) {
    HalfSearch search{};
    return lay_out(search, plan, nullptr);
}

void certified_search(const KnnProblem& problem, const HalfPlan& plan, void* workspace, int64_t* stats,
                      cudaStream_t stream, PassLaunch pass) {
    const int64_t queries = problem.queries.rows;
    HalfSearch search{};
    lay_out(search, plan, workspace);
    search.stats = reinterpret_cast<DeviceCounter*>(stats);
    ROTE_CUDA_CHECK(cudaMemsetAsync(search.bins, 0, kSortBins * sizeof(int32_t), stream));
    ROTE_CUDA_CHECK(cudaMemsetAsync(search.unbounded_count, 0, sizeof(int32_t), stream));
    launch_choose_frame(problem, search, stream);
    launch_pack_references(problem, search, stream);
    if (search.stats) launch(count_unbounded_kernel, 1, 1, 0, stream, search);
    for (int64_t first = 0; first < queries; first += plan.chunk_rows) {
        search.first_query = first;
        search.rows = int32_t(std::min(plan.chunk_rows, queries - first));
        search.padded_rows = (search.rows + kTileQueries - 1) / kTileQueries * kTileQueries;
        search_chunk(problem, plan, search, stream, pass);
    }
}

}  // namespace rote
