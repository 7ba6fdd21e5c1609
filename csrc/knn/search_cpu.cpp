// knn/search_cpu.cpp: how a search is cut into tasks for threads, and how their results are joined.
#include "knn/search_cpu.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "knn/admissible.h"
#include "knn/certified_scan.h"
#include "knn/kernels.h"
#include "knn/neighbors.h"
#include "knn/pack.h"
#include "knn/rows.h"
#include "rote/knn.h"
#include "runtime/parallel.h"

namespace rote {
namespace {

constexpr int64_t kDirectQueries = 1;       // so few queries read the originals once and compute keys at memory speed
constexpr int64_t kLeastReferences = 1024;  // of a split
constexpr int64_t kLeastRows = 96;          // of a block of queries, to pay for packing the references
constexpr int64_t kTasksPerThread = 4;

/// Neighbours that several tasks found for the same queries.
class PartialResults {
  public:
    PartialResults(const KnnProblem& problem, int64_t splits)
        : problem_(problem), splits_(splits), found_(size_t(problem.queries.rows * splits)) {}

    void store(int64_t query, int64_t split, const std::vector<Neighbor>* neighbors) {
        Partial& partial = found_[size_t(query * splits_ + split)];
        partial.finite = neighbors != nullptr;
        if (neighbors) partial.neighbors = *neighbors;
    }

    void write_merged(int64_t query) {
        const Partial* const parts = found_.data() + query * splits_;
        if (!parts->finite) return write_not_a_query(problem_, query);
        std::vector<Neighbor> all;
        for (int64_t s = 0; s < splits_; ++s)
            all.insert(all.end(), parts[s].neighbors.begin(), parts[s].neighbors.end());
        const int64_t kept = std::min(problem_.k, int64_t(all.size()));
        std::partial_sort(all.begin(), all.begin() + kept, all.end());
        write_neighbors(problem_, query, all.data(), kept);
    }

  private:
    struct Partial {
        std::vector<Neighbor> neighbors;
        bool finite = true;
    };
    const KnnProblem& problem_;
    int64_t splits_;
    std::vector<Partial> found_;
};

struct Split {
    int64_t begin, end;
};

Split split_of(int64_t total, int64_t splits, int64_t index) {
    return {total * index / splits, total * (index + 1) / splits};
}

/// Every key of one query against a range of references.
void scan_exactly(const KnnProblem& problem, ExactKeys& keys, int64_t query, Split range, PartialResults& results,
                  int64_t split) {
    keys.load_query(query);
    if (!keys.query_is_finite()) return results.store(query, split, nullptr);
    NearestBuffer nearest(problem.k);
    for (int64_t reference = range.begin; reference < range.end; ++reference) {
        double key = 0;
        if (is_admissible(problem, query, reference) && keys.key_if_finite(reference, key))
            nearest.offer({key, reference});
    }
    results.store(query, split, &nearest.sorted());
}

KnnStats search_directly(const KnnProblem& problem, const KnnKernels& kernels, int num_threads) {
    const int64_t total = problem.references.rows, queries = problem.queries.rows;
    const int64_t splits = std::clamp<int64_t>(total / kLeastReferences, 1, int64_t(num_threads) * kTasksPerThread);
    PartialResults results(problem, splits);
    std::vector<int64_t> counts(size_t(splits * queries));
    parallel_for(splits * queries, 1, num_threads, [&](int64_t task, int64_t, int) {
        ExactKeys keys(problem, kernels);
        scan_exactly(problem, keys, task / splits, split_of(total, splits, task % splits), results, task % splits);
        counts[size_t(task)] = keys.count();
    });
    KnnStats stats;
    for (int64_t count : counts) stats.exact_keys += count;
    for (int64_t query = 0; query < queries; ++query) results.write_merged(query);
    return stats;
}

KnnStats search_certified(const KnnProblem& problem, const KnnKernels& kernels, int num_threads) {
    const int64_t queries = problem.queries.rows, total = problem.references.rows, dim = problem.queries.columns;
    const int64_t wanted_tasks = int64_t(num_threads) * (num_threads > 1 ? kTasksPerThread : 1);
    const int64_t limit = CertifiedScan::block_rows_limit(dim, problem.k);
    const int64_t block = std::min(limit, std::max(kLeastRows, (queries + wanted_tasks - 1) / wanted_tasks));
    const int64_t blocks = (queries + block - 1) / block;
    const int64_t splits =
        blocks >= num_threads
            ? 1
            : std::clamp<int64_t>(std::min((wanted_tasks + blocks - 1) / blocks, total / kLeastReferences), 1, total);

    const PackingFrame frame = PackingFrame::choose(problem, kernels);
    const int64_t block_references = CertifiedScan::block_references_limit(dim, kernels);
    std::vector<std::unique_ptr<CertifiedScan>> scans(size_t(std::max(num_threads, 1)));
    std::unique_ptr<PartialResults> partial;
    if (splits > 1) partial = std::make_unique<PartialResults>(problem, splits);

    // Blocks of equal height, so that threads end together.
    parallel_for(blocks * splits, 1, num_threads, [&](int64_t task, int64_t, int thread) {
        std::unique_ptr<CertifiedScan>& scan = scans[size_t(thread)];
        if (!scan) {
            scan = std::make_unique<CertifiedScan>(problem, kernels, frame, std::min(block, queries),
                                                   std::min(block_references, total));
        }
        const Split rows = split_of(queries, blocks, task / splits), range = split_of(total, splits, task % splits);
        scan->run(rows.begin, rows.end, range.begin, range.end,
                  [&](int64_t query, const std::vector<Neighbor>* neighbors) {
                      if (partial) return partial->store(query, task % splits, neighbors);
                      if (!neighbors) return write_not_a_query(problem, query);
                      write_neighbors(problem, query, neighbors->data(), int64_t(neighbors->size()));
                  });
    });
    if (partial) {
        parallel_for(queries, 64, num_threads, [&](int64_t begin, int64_t end, int) {
            for (int64_t query = begin; query < end; ++query) partial->write_merged(query);
        });
    }
    KnnStats stats;
    for (const auto& scan : scans)
        if (scan) scan->add_to(stats);
    return stats;
}

}  // namespace

KnnStats search_with_kernels(const KnnProblem& problem, const KnnKernels& kernels, int num_threads) {
    check_knn_problem(problem);
    if (problem.queries.rows == 0) return {};
    FloatEnvironment environment;
    num_threads = std::max(num_threads, 1);
    if (problem.queries.rows <= kDirectQueries) return search_directly(problem, kernels, num_threads);
    return search_certified(problem, kernels, num_threads);
}

KnnStats knn_search_cpu(const KnnProblem& problem, int num_threads, SimdLevel level) {
    return search_with_kernels(problem, knn_kernels(level), num_threads);
}

}  // namespace rote
