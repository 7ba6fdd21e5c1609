// knn/cpu/search_cpu.cpp: which pass a search begins with, and where the rows go that it cannot settle.
#include "knn/cpu/search_cpu.h"

#include <algorithm>
#include <cstring>

#include "knn/cpu/packed_index.h"
#include "knn/metric.h"
#include "knn/neighbors.h"
#include "rote/error.h"
#include "runtime/float_env.h"

namespace rote {
namespace {

constexpr int64_t kDirectQueries = 3;  // so few do not pay for packing the references
constexpr int64_t kInt16Queries = 64;  // from here on the faster products pay for the dearer packing
constexpr int64_t kSubsetBytes = 16 << 20;

KnnPath choose_path(const KnnProblem& problem, bool packed) {
    const bool wide = problem.references.dtype == DType::float64;
    if (problem.queries.rows <= kDirectQueries) return wide ? KnnPath::float64 : KnnPath::float32;
    return packed || problem.queries.rows >= kInt16Queries ? KnnPath::int16 : KnnPath::float32;
}

/// Some queries of a problem as a problem of their own.
class Subset {
  public:
    Subset(const KnnProblem& problem, const int64_t* queries, int64_t count)
        : whole_(problem), part_(problem), queries_(queries), count_(count) {
        const int64_t row_bytes = problem.queries.columns * dtype_bytes(problem.queries.dtype);
        const int64_t stride_bytes = problem.queries.row_stride * dtype_bytes(problem.queries.dtype);
        rows_.resize(size_t(count * row_bytes));
        for (int64_t i = 0; i < count; ++i)
            std::memcpy(rows_.data() + i * row_bytes,
                        static_cast<const char*>(problem.queries.data) + queries[i] * stride_bytes, size_t(row_bytes));
        part_.queries = {rows_.data(), problem.queries.dtype, count, problem.queries.columns, problem.queries.columns};
        part_.exclude = gather(problem.exclude, exclude_);
        part_.query_groups = gather(problem.query_groups, groups_);
        part_.distances = room(problem.distances, distances_);
        part_.indices = room(problem.indices, indices_);
        part_.keys = room(problem.keys, keys_);
        if (problem.vote) {
            vote_ = *problem.vote;
            vote_.rows = queries;
            part_.vote = &vote_;
        }
    }
    Subset(const Subset&) = delete;
    Subset& operator=(const Subset&) = delete;

    const KnnProblem& problem() const { return part_; }

    void write_back() const {
        scatter(part_.distances, whole_.distances);
        scatter(part_.indices, whole_.indices);
        scatter(part_.keys, whole_.keys);
    }

  private:
    const int64_t* gather(const int64_t* values, std::vector<int64_t>& out) const {
        if (!values) return nullptr;
        for (int64_t i = 0; i < count_; ++i) out.push_back(values[queries_[i]]);
        return out.data();
    }
    template <class T>
    T* room(const T* wanted, std::vector<T>& out) const {
        if (!wanted) return nullptr;
        out.resize(size_t(count_ * whole_.k));
        return out.data();
    }
    template <class T>
    void scatter(const T* from, T* to) const {
        if (!to) return;
        for (int64_t i = 0; i < count_; ++i) std::copy_n(from + i * whole_.k, whole_.k, to + queries_[i] * whole_.k);
    }

    const KnnProblem& whole_;
    KnnProblem part_;
    VoteProblem vote_;
    const int64_t* queries_;
    int64_t count_;
    std::vector<char> rows_;
    std::vector<int64_t> exclude_, groups_, indices_;
    std::vector<float> distances_;
    std::vector<double> keys_;
};

/// Hands some queries of a problem to `search`, a few MiB of them at a time; `search` returns those it cannot settle.
template <class Search>
std::vector<int64_t> search_subset(const KnnProblem& problem, const std::vector<int64_t>& queries, Search&& search) {
    const int64_t row_bytes = problem.queries.columns * dtype_bytes(problem.queries.dtype) + 20 * problem.k;
    const int64_t step = std::max<int64_t>(1, kSubsetBytes / row_bytes), total = int64_t(queries.size());
    std::vector<int64_t> rest;
    for (int64_t begin = 0; begin < total; begin += step) {
        const Subset subset(problem, queries.data() + begin, std::min(step, total - begin));
        for (int64_t query : search(subset.problem())) rest.push_back(queries[size_t(begin + query)]);
        subset.write_back();
    }
    return rest;
}

void check_index(const KnnProblem& problem, const KnnIndex::Packed& index) {
    const MatrixView &given = problem.references, &packed = index.problem.references;
    ROTE_CHECK_ARG(given.data == packed.data && given.rows == packed.rows && given.columns == packed.columns &&
                       given.dtype == packed.dtype && given.row_stride == packed.row_stride,
                   "index: wanted one of the references given");
    ROTE_CHECK_ARG(problem.metric == index.problem.metric ||
                       (is_squared_distance(problem.metric) && is_squared_distance(index.problem.metric)),
                   "index: wanted one of the metric given");
}

}  // namespace

KnnStats search_with_kernels(const KnnProblem& problem, const KnnKernels& kernels, const KnnOptions& options) {
    check_knn_problem(problem);
    KnnStats stats;
    stats.executor = kernels.name;
    if (problem.queries.rows == 0) return stats;
    FloatEnvironment environment;
    const int num_threads = std::max(options.num_threads, 1);
    const KnnIndex::Packed* index = options.index ? &options.index->packed() : nullptr;
    if (index) check_index(problem, *index);
    if (index && &index->kernels != &kernels) index = nullptr;
    const KnnPath path = options.path == KnnPath::automatic ? choose_path(problem, index != nullptr) : options.path;
    const auto float32_pass = [&](const KnnProblem& part) { return search_float32(part, kernels, num_threads, stats); };
    const auto every_key = [&](const KnnProblem& part) {
        search_every_key(part, kernels, num_threads, stats);
        return std::vector<int64_t>();
    };
    if (path == KnnPath::float64) {
        every_key(problem);
        return stats;
    }
    if (path == KnnPath::float32 && problem.queries.rows <= kDirectQueries &&
        problem.references.dtype != DType::float64) {
        search_directly(problem, kernels, num_threads, stats);
        return stats;
    }
    std::vector<int64_t> rest =
        path == KnnPath::int16 ? search_int16(problem, kernels, num_threads, index, stats) : float32_pass(problem);
    if (!options.fallback) {
        for (int64_t query : rest) write_not_a_query(problem, query);
        stats.uncertified_rows = int64_t(rest.size());
        return stats;
    }
    if (path == KnnPath::int16) rest = search_subset(problem, rest, float32_pass);
    search_subset(problem, rest, every_key);
    return stats;
}

KnnStats knn_search_cpu(const KnnProblem& problem, const KnnOptions& options) {
    return search_with_kernels(problem, knn_kernels(options.level), options);
}

}  // namespace rote
