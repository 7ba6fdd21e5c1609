// knn/search_cpu.cpp: which pass a search begins with, and where the rows go that it cannot settle.
#include "knn/search_cpu.h"

#include <algorithm>
#include <cstring>

#include "knn/neighbors.h"
#include "runtime/float_env.h"

namespace rote {
namespace {

constexpr int64_t kDirectQueries = 3;  // so few do not pay for packing the references
constexpr int64_t kInt16Queries = 64;  // from here on the faster products pay for the dearer packing
constexpr int64_t kSubsetBytes = 16 << 20;

KnnPath choose_path(const KnnProblem& problem) {
    const bool wide = problem.references.dtype == DType::float64;
    if (problem.queries.rows <= kDirectQueries) return wide ? KnnPath::float64 : KnnPath::float32;
    return problem.queries.rows >= kInt16Queries ? KnnPath::int16 : KnnPath::float32;
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
    }

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
    const int64_t* queries_;
    int64_t count_;
    std::vector<char> rows_;
    std::vector<int64_t> exclude_, groups_, indices_;
    std::vector<float> distances_;
    std::vector<double> keys_;
};

void search_rest(const KnnProblem& problem, const std::vector<int64_t>& queries, const KnnKernels& kernels,
                 int num_threads, KnnStats& stats) {
    const int64_t row_bytes = problem.queries.columns * dtype_bytes(problem.queries.dtype) + 20 * problem.k;
    const int64_t step = std::max<int64_t>(1, kSubsetBytes / row_bytes), total = int64_t(queries.size());
    for (int64_t begin = 0; begin < total; begin += step) {
        const Subset subset(problem, queries.data() + begin, std::min(step, total - begin));
        search_float32(subset.problem(), kernels, num_threads, stats);
        subset.write_back();
    }
}

}  // namespace

KnnStats search_with_kernels(const KnnProblem& problem, const KnnKernels& kernels, const KnnOptions& options) {
    check_knn_problem(problem);
    KnnStats stats;
    stats.executor = kernels.name;
    if (problem.queries.rows == 0) return stats;
    FloatEnvironment environment;
    const int num_threads = std::max(options.num_threads, 1);
    const KnnPath path = options.path == KnnPath::automatic ? choose_path(problem) : options.path;
    const bool wide = problem.references.dtype == DType::float64;
    if (path == KnnPath::float64) {
        search_every_key(problem, kernels, num_threads, stats);
    } else if (path == KnnPath::float32) {
        if (problem.queries.rows <= kDirectQueries && !wide)
            search_directly(problem, kernels, num_threads, stats);
        else
            search_float32(problem, kernels, num_threads, stats);
    } else {
        const std::vector<int64_t> rest = search_int16(problem, kernels, num_threads, stats);
        if (options.fallback) {
            search_rest(problem, rest, kernels, num_threads, stats);
        } else {
            for (int64_t query : rest) write_not_a_query(problem, query);
            stats.uncertified_rows = int64_t(rest.size());
        }
    }
    return stats;
}

KnnStats knn_search_cpu(const KnnProblem& problem, const KnnOptions& options) {
    return search_with_kernels(problem, knn_kernels(options.level), options);
}

}  // namespace rote
