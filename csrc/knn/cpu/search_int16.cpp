// knn/cpu/search_int16.cpp: runs of references, packed by all threads together, pass by chunks of packed queries.
#include "knn/cpu/search_cpu.h"

#include <algorithm>
#include <memory>

#include "knn/cpu/int16_scan.h"
#include "knn/cpu/packed_index.h"
#include "knn/cpu/packed_queries.h"
#include "knn/cpu/packed_references.h"
#include "knn/neighbors.h"
#include "runtime/parallel.h"

namespace rote {
namespace {

constexpr int64_t kQueryBytes = 112 << 20;  // of packed queries and their candidates
constexpr int64_t kChunkRows = 96;          // of queries that one thread takes past a run of references
constexpr int64_t kChunksPerThread = 4;
constexpr int64_t kMostClusters = 32;
constexpr int64_t kQueriesOfACluster = 8;  // a cluster costs every reference a product, every query saves more
constexpr int64_t kRowsOfACluster = 64;
constexpr double kLeastSkipped = 0.2;             // of the pairs, for clusters to pay
constexpr double kLeastSkippedOfASelfJoin = 0.5;  // which saves half by scoring pairs once, in one cluster alone
constexpr int64_t kRunsOfASelfJoin = 24, kLeastRunOfASelfJoin = 1024;

struct Chunk {
    int64_t first, last;
};

// Even pieces of one cluster each.
std::vector<Chunk> cut_into_chunks(const PackedQueries& queries, int64_t rows) {
    std::vector<Chunk> chunks;
    for (int64_t first = 0; first < queries.size();) {
        int64_t end = first;
        while (end < queries.size() && queries.cluster(end) == queries.cluster(first)) ++end;
        const int64_t count = (end - first + rows - 1) / rows;
        for (int64_t c = 0; c < count; ++c)
            chunks.push_back({first + (end - first) * c / count, first + (end - first) * (c + 1) / count});
        first = end;
    }
    return chunks;
}

Clusters choose_clusters(const KnnProblem& problem, const KnnKernels& kernels) {
    const int64_t limit =
        std::min({kMostClusters, problem.queries.rows / kQueriesOfACluster, problem.references.rows / kRowsOfACluster});
    return Clusters::choose(problem, kernels, PackingFrame::choose(problem, kernels), limit,
                            is_self_join(problem) ? kLeastSkippedOfASelfJoin : kLeastSkipped);
}

int64_t round_up_to(int64_t value, int64_t step) {
    return (value + step - 1) / step * step;
}

/// One call of search_int16.
class Int16Searcher {
  public:
    Int16Searcher(const KnnProblem& problem, const KnnKernels& kernels, int num_threads, const KnnIndex::Packed* index)
        : problem_(problem),
          kernels_(kernels),
          num_threads_(num_threads),
          index_(index),
          own_clusters_(index ? Clusters() : choose_clusters(problem, kernels)),
          clusters_(index ? index->clusters : own_clusters_),
          queries_(problem, kernels, clusters_),
          references_(problem, kernels, clusters_) {}

    std::vector<int64_t> run(KnnStats& stats) {
        const int64_t total = problem_.queries.rows, height = kernels_.int16_rows;
        const int64_t pieces = num_threads_ * kChunksPerThread;
        chunk_rows_ = std::clamp(round_up_to((total + pieces - 1) / pieces, height), 2 * height, kChunkRows);
        const int64_t few = (total + chunk_rows_ - 1) / chunk_rows_;
        splits_ = few >= num_threads_ ? 1 : (2 * num_threads_ + few - 1) / few;
        const int64_t row_bytes = PackedQueries::row_bytes(problem_.queries.columns, clusters_.size()) +
                                  splits_ * CandidateBuffers::row_bytes(problem_.k);
        const int64_t block = std::clamp(kQueryBytes / row_bytes, std::min<int64_t>(total, 64), total);
        for (int64_t begin = 0; begin < total; begin += block) {
            queries_.pack(begin, std::min(total, begin + block), num_threads_);
            // Where rows gather in clusters, skipping whole groups saves more than scoring pairs once.
            const bool twice = !index_ && splits_ == 1 && block == total && clusters_.size() == 1 &&
                               is_self_join(problem_) && queries_.unbounded().empty();
            if (!twice || !search_block(true, stats)) search_block(false, stats);
        }
        std::sort(others_.begin(), others_.end());
        return std::move(others_);
    }

  private:
    using Scans = std::vector<std::unique_ptr<Int16Scan>>;

    /// False, and nothing written, if it is a self-join of which some reference cannot be packed.
    bool search_block(bool self_join, KnnStats& stats) {
        const std::unique_ptr<SelfJoin> join = self_join ? std::make_unique<SelfJoin>(queries_) : nullptr;
        CandidateBuffers candidates(problem_.k, queries_.size() * splits_);
        std::vector<std::atomic<bool>> given_up(size_t(queries_.size() * splits_));
        const int64_t total = problem_.references.rows;
        const Int16Search search{
            problem_,  kernels_, clusters_, queries_, candidates, given_up, std::max(8 * (problem_.k + 32), total / 16),
            join.get()};
        Scans scans(static_cast<size_t>(num_threads_));
        for (auto& scan : scans) scan = std::make_unique<Int16Scan>(search);

        const std::vector<Chunk> chunks = cut_into_chunks(queries_, chunk_rows_);
        const int64_t run = index_ ? total : run_rows(self_join);
        for (int64_t at = 0; at < total; at += run) {
            if (!index_) references_.pack(at, std::min(total, at + run), num_threads_);
            const PackedReferences& references = index_ ? index_->references : references_;
            if (self_join && !references.unbounded().empty()) return false;
            parallel_for(int64_t(chunks.size()) * splits_, 1, num_threads_, [&](int64_t task, int64_t, int thread) {
                const Chunk& chunk = chunks[size_t(task / splits_)];
                scans[size_t(thread)]->run(chunk.first, chunk.last, references, task % splits_, splits_);
            });
        }
        finish(search, scans, stats);
        return true;
    }

    void finish(const Int16Search& search, Scans& scans, KnnStats& stats) {
        const auto is_given_up = [&](int64_t position) {
            for (int64_t s = 0; s < splits_; ++s)
                if (search.given_up[size_t(s * queries_.size() + position)]) return true;
            return false;
        };
        parallel_for(queries_.size(), 32, num_threads_, [&](int64_t first, int64_t last, int thread) {
            for (int64_t position = first; position < last; ++position) {
                const int64_t query = queries_.query(position);
                if (query < 0 || is_given_up(position)) continue;
                const std::vector<Neighbor>& nearest = search.candidates.finish(
                    position, query, scans[size_t(thread)]->thinning(), splits_, queries_.size());
                write_neighbors(problem_, query, nearest.data(), int64_t(nearest.size()));
            }
        });
        for (int64_t query : queries_.not_finite()) write_not_a_query(problem_, query);
        others_.insert(others_.end(), queries_.unbounded().begin(), queries_.unbounded().end());
        for (int64_t position = 0; position < queries_.size(); ++position) {
            if (queries_.query(position) < 0) continue;
            if (is_given_up(position))
                others_.push_back(queries_.query(position));
            else
                ++stats.rows_int16;
        }
        for (const auto& scan : scans) {
            stats.scored_pairs += scan->scored_pairs();
            stats.exact_keys += scan->thinning().keys.count();
            stats.compactions += scan->thinning().compactions;
            stats.exact_compactions += scan->thinning().exact_compactions;
        }
    }

    // Rows of a run stand in no order, so that a self-join scores half of its own run twice: short ones cost less.
    int64_t run_rows(bool self_join) const {
        const int64_t rows = PackedReferences::run_rows(problem_.references.columns);
        return self_join ? std::min(rows, std::max(problem_.references.rows / kRunsOfASelfJoin, kLeastRunOfASelfJoin))
                         : rows;
    }

    const KnnProblem& problem_;
    const KnnKernels& kernels_;
    int num_threads_;
    const KnnIndex::Packed* index_;
    const Clusters own_clusters_;
    const Clusters& clusters_;
    PackedQueries queries_;
    PackedReferences references_;
    int64_t chunk_rows_ = 0, splits_ = 1;
    std::vector<int64_t> others_;
};

}  // namespace

std::vector<int64_t> search_int16(const KnnProblem& problem, const KnnKernels& kernels, int num_threads,
                                  const KnnIndex::Packed* index, KnnStats& stats) {
    return Int16Searcher(problem, kernels, num_threads, index).run(stats);
}

}  // namespace rote
