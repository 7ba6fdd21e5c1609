// knn/search_int16.cpp: runs of references, packed by all threads together, pass by chunks of packed queries.
#include "knn/search_cpu.h"

#include <algorithm>
#include <memory>

#include "knn/int16_scan.h"
#include "knn/neighbors.h"
#include "knn/packed_queries.h"
#include "knn/packed_references.h"
#include "runtime/parallel.h"

namespace rote {
namespace {

constexpr int64_t kQueryBytes = 72 << 20;  // of packed queries and their candidates
constexpr int64_t kChunkRows = 192;        // of queries that one thread takes past a run of references
constexpr int64_t kChunksPerThread = 4;
constexpr int64_t kMostClusters = 32;
constexpr int64_t kQueriesOfACluster = 8;  // a cluster costs every reference a product, every query saves more
constexpr int64_t kRowsOfACluster = 64;

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

int64_t round_up_to(int64_t value, int64_t step) {
    return (value + step - 1) / step * step;
}

}  // namespace

std::vector<int64_t> search_int16(const KnnProblem& problem, const KnnKernels& kernels, int num_threads,
                                  KnnStats& stats) {
    const int64_t total = problem.references.rows, queries_total = problem.queries.rows;
    const int64_t dim = problem.queries.columns, k = problem.k;
    const PackingFrame frame = PackingFrame::choose(problem, kernels);
    const Clusters clusters =
        Clusters::choose(problem, kernels, frame,
                         std::min({kMostClusters, queries_total / kQueriesOfACluster, total / kRowsOfACluster}));
    PackedQueries queries(problem, kernels, clusters);
    PackedReferences references(problem, kernels, clusters);

    const int64_t chunk_rows =
        std::clamp(round_up_to((queries_total + num_threads * kChunksPerThread - 1) / (num_threads * kChunksPerThread),
                               kernels.int16_rows),
                   2 * int64_t(kernels.int16_rows), kChunkRows);
    const int64_t few = (queries_total + chunk_rows - 1) / chunk_rows;
    const int64_t splits = few >= num_threads ? 1 : (2 * num_threads + few - 1) / few;
    const int64_t row_bytes = PackedQueries::row_bytes(dim, clusters.size()) +
                              splits * CandidateBuffers::capacity(k) * int64_t(sizeof(Candidate));
    const int64_t block = std::clamp(kQueryBytes / row_bytes, std::min<int64_t>(queries_total, 64), queries_total);
    const int64_t run = PackedReferences::run_rows(dim);

    std::vector<int64_t> others;
    for (int64_t begin = 0; begin < queries_total; begin += block) {
        queries.pack(begin, std::min(queries_total, begin + block), num_threads);
        CandidateBuffers candidates(k, queries.size() * splits);
        std::vector<uint8_t> given_up(size_t(queries.size() * splits));
        const Int16Search search{
            problem, kernels, clusters, queries, candidates, given_up, std::max(8 * (k + 32), total / 16)};
        std::vector<std::unique_ptr<Int16Scan>> scans(size_t(std::max(num_threads, 1)));
        const auto scan_of = [&](int thread) -> Int16Scan& {
            std::unique_ptr<Int16Scan>& scan = scans[size_t(thread)];
            if (!scan) scan = std::make_unique<Int16Scan>(search);
            return *scan;
        };

        const std::vector<Chunk> chunks = cut_into_chunks(queries, chunk_rows);
        for (int64_t at = 0; at < total; at += run) {
            references.pack(at, std::min(total, at + run), num_threads);
            parallel_for(int64_t(chunks.size()) * splits, 1, num_threads, [&](int64_t task, int64_t, int thread) {
                const Chunk& chunk = chunks[size_t(task / splits)];
                scan_of(thread).run(chunk.first, chunk.last, references, task % splits, splits);
            });
        }

        const auto is_given_up = [&](int64_t position) {
            for (int64_t s = 0; s < splits; ++s)
                if (given_up[size_t(s * queries.size() + position)]) return true;
            return false;
        };
        parallel_for(queries.size(), 32, num_threads, [&](int64_t first, int64_t last, int thread) {
            for (int64_t position = first; position < last; ++position) {
                const int64_t query = queries.query(position);
                if (query < 0 || is_given_up(position)) continue;
                const std::vector<Neighbor>& nearest =
                    candidates.finish(position, query, scan_of(thread).thinning(), splits, queries.size());
                write_neighbors(problem, query, nearest.data(), int64_t(nearest.size()));
            }
        });
        for (int64_t query : queries.not_finite()) write_not_a_query(problem, query);
        others.insert(others.end(), queries.unbounded().begin(), queries.unbounded().end());
        for (int64_t position = 0; position < queries.size(); ++position) {
            if (queries.query(position) < 0) continue;
            if (is_given_up(position))
                others.push_back(queries.query(position));
            else
                ++stats.rows_int16;
        }
        for (const auto& scan : scans) {
            if (!scan) continue;
            stats.scored_pairs += scan->scored_pairs();
            stats.exact_keys += scan->thinning().keys.count();
            stats.compactions += scan->thinning().compactions;
            stats.exact_compactions += scan->thinning().exact_compactions;
        }
    }
    std::sort(others.begin(), others.end());
    return others;
}

}  // namespace rote
