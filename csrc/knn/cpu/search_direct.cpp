// knn/cpu/search_direct.cpp: rows as they lie in memory, unpacked: few queries, and every key.
#include "knn/cpu/search_cpu.h"

#include <algorithm>

#include "knn/admissible.h"
#include "knn/cpu/direct_scan.h"
#include "knn/cpu/partial_results.h"
#include "knn/cpu/rows.h"
#include "runtime/parallel.h"

namespace rote {
namespace {

constexpr int64_t kLeastReferences = 1024;  // of a split
constexpr int64_t kSplitsPerThread = 2;     // of the references; every split reranks k candidates

int64_t splits_of(const KnnProblem& problem, int num_threads) {
    return std::clamp<int64_t>(problem.references.rows / kLeastReferences, 1, int64_t(num_threads) * kSplitsPerThread);
}

/// Every key of one query against a range of references.
const std::vector<Neighbor>* scan_exactly(const KnnProblem& problem, ExactKeys& keys, int64_t query, Split range,
                                          NearestBuffer& nearest) {
    keys.load_query(query);
    if (!keys.query_is_finite()) return nullptr;
    for (int64_t reference = range.begin; reference < range.end; ++reference) {
        double key = 0;
        if (is_admissible(problem, query, reference) && keys.key_if_finite(reference, key))
            nearest.offer({key, reference});
    }
    return &nearest.sorted();
}

}  // namespace

void search_every_key(const KnnProblem& problem, const KnnKernels& kernels, int num_threads, KnnStats& stats) {
    const int64_t total = problem.references.rows, queries = problem.queries.rows;
    const int64_t splits = queries >= num_threads ? 1 : splits_of(problem, num_threads);
    PartialResults results(problem, splits);
    std::vector<int64_t> counts(size_t(queries * splits));
    parallel_for(queries * splits, 1, num_threads, [&](int64_t task, int64_t, int) {
        ExactKeys keys(problem, kernels);
        NearestBuffer nearest(problem.k);
        const int64_t query = task / splits, split = task % splits;
        results.store(query, split, scan_exactly(problem, keys, query, split_of(total, splits, split), nearest));
        counts[size_t(task)] = keys.count();
    });
    for (int64_t count : counts) stats.exact_keys += count;
    for (int64_t query = 0; query < queries; ++query) stats.rows_float64 += results.write_merged(query);
}

void search_directly(const KnnProblem& problem, const KnnKernels& kernels, int num_threads, KnnStats& stats) {
    const int64_t total = problem.references.rows, queries = problem.queries.rows;
    const int64_t splits = splits_of(problem, num_threads);
    PartialResults results(problem, splits);
    std::vector<int64_t> counts(static_cast<size_t>(splits));
    parallel_for(splits, 1, num_threads, [&](int64_t split, int64_t, int) {
        const Split range = split_of(total, splits, split);
        DirectScan scan(problem, kernels);
        scan.run(range.begin, range.end);
        for (int64_t query = 0; query < queries; ++query) results.store(query, split, scan.finish(query));
        counts[size_t(split)] = scan.exact_keys();
    });
    for (int64_t count : counts) stats.exact_keys += count;
    stats.scored_pairs += queries * total;
    for (int64_t query = 0; query < queries; ++query) stats.rows_float32 += results.write_merged(query);
}

}  // namespace rote
