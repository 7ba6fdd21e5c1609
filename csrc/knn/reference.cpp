// knn/reference.cpp: the oracle. Slow, obvious, and the definition of a right answer.
#include <algorithm>
#include <vector>

#include "knn/admissible.h"
#include "knn/metric.h"
#include "knn/neighbors.h"
#include "rote/knn.h"
#include "runtime/float_env.h"

namespace rote {
namespace {

template <class T>
bool row_is_finite(const T* row, int64_t dim) {
    for (int64_t i = 0; i < dim; ++i)
        if (!is_finite(to_double(row[i]))) return false;
    return true;
}

template <class T>
void search(const KnnProblem& problem) {
    const int64_t dim = problem.queries.columns;
    std::vector<Neighbor> neighbors;
    for (int64_t query = 0; query < problem.queries.rows; ++query) {
        const T* q = problem.queries.row<T>(query);
        if (!row_is_finite(q, dim)) {
            write_not_a_query(problem, query);
            continue;
        }
        neighbors.clear();
        for (int64_t reference = 0; reference < problem.references.rows; ++reference) {
            const T* r = problem.references.row<T>(reference);
            if (is_admissible(problem, query, reference) && row_is_finite(r, dim))
                neighbors.push_back({pair_key(problem.metric, q, r, dim), reference});
        }
        std::sort(neighbors.begin(), neighbors.end());
        write_neighbors(problem, query, neighbors.data(), std::min<int64_t>(problem.k, int64_t(neighbors.size())));
    }
}

}  // namespace

void knn_search_reference(const KnnProblem& problem) {
    check_knn_problem(problem);
    FloatEnvironment environment;
    visit_float_dtype(problem.queries.dtype, [&](auto element) { search<decltype(element)>(problem); });
}

}  // namespace rote
