// knn/cpu/search_float32.cpp: how a search by the float32 pass is cut into tasks for threads.
#include <algorithm>
#include <memory>
#include <vector>

#include "knn/cpu/certified_scan.h"
#include "knn/cpu/pack.h"
#include "knn/cpu/partial_results.h"
#include "knn/cpu/search_cpu.h"
#include "knn/neighbors.h"
#include "runtime/parallel.h"

namespace rote {
namespace {

constexpr int64_t kLeastReferences = 1024;  // of a split
constexpr int64_t kLeastRows = 256;         // of a block of queries, to pay for packing the references
constexpr int64_t kTasksPerThread = 4;      // of many queries, for balance
constexpr int64_t kSplitsPerThread = 2;     // of the references; every split reranks k candidates

}  // namespace

std::vector<int64_t> search_float32(const KnnProblem& problem, const KnnKernels& kernels, int num_threads,
                                    KnnStats& stats) {
    const int64_t queries = problem.queries.rows, total = problem.references.rows, dim = problem.queries.columns;
    const int64_t wanted_tasks = int64_t(num_threads) * (num_threads > 1 ? kTasksPerThread : 1);
    const int64_t limit = CertifiedScan::block_rows_limit(dim, problem.k);
    const int64_t block = std::min(limit, std::max(kLeastRows, (queries + wanted_tasks - 1) / wanted_tasks));
    const int64_t blocks = (queries + block - 1) / block;
    const int64_t splits =
        blocks >= num_threads
            ? 1
            : std::clamp<int64_t>(
                  std::min((num_threads * kSplitsPerThread + blocks - 1) / blocks, total / kLeastReferences), 1, total);

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
    std::vector<int64_t> unsettled;
    for (const auto& scan : scans)
        if (scan) scan->add_to(stats, unsettled);
    std::sort(unsettled.begin(), unsettled.end());
    unsettled.erase(std::unique(unsettled.begin(), unsettled.end()), unsettled.end());  // splits find the same ones
    stats.rows_float32 -= int64_t(unsettled.size());
    return unsettled;
}

}  // namespace rote
