// tests/test_knn_cuda_emulated.cpp: the certified search on CUDA, its very kernels, run on the CPU (tests/emulation),
// also with sums that err as far as the bound allows for, against the oracle.
#include <cstdio>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main() {
    std::puts("skipped: sanitizers do not follow fibers");
}
#else
#include "emulation/cuda_runtime.h"
// The kernels, as they are.
#include "knn/cuda/certified.cu"
#include "knn/cuda/frame.cu"
#include "knn/cuda/pack_queries.cu"
#include "knn/cuda/pack_references.cu"
#include "knn/cuda/products.cu"
#include "knn/cuda/rerank.cu"
#include "knn/cuda/simple.cu"
#include "knn/cuda/sm80.cu"
#include "knn/cuda/thin.cu"
//
#include <limits>
#include <vector>

#include "check.h"

using namespace rote;

namespace {

constexpr KnnMetric kMetrics[] = {KnnMetric::l2, KnnMetric::cosine, KnnMetric::ip};
constexpr DType kDtypes[] = {DType::float32, DType::float16, DType::bfloat16, DType::float64};

/// Rows of doubles, given to the search in any dtype.
struct Rows {
    int64_t count, dim;
    std::vector<double> values;

    Rows(int64_t rows, int64_t columns) : count(rows), dim(columns), values(size_t(rows * columns)) {}
    double* row(int64_t r) { return values.data() + r * dim; }
};

Rows normal_rows(int64_t count, int64_t dim, unsigned seed, double shift = 0, double spread = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(shift, spread);
    Rows rows(count, dim);
    for (double& value : rows.values) value = normal(random);
    return rows;
}

/// A matrix in its dtype.
struct Matrix {
    std::vector<double> storage;
    MatrixView view;

    Matrix(const Rows& rows, DType dtype) : storage(rows.values.size() + 1) {
        for (size_t i = 0; i < rows.values.size(); ++i) {
            const double value = rows.values[i];
            if (dtype == DType::float64) storage[i] = value;
            if (dtype == DType::float32) reinterpret_cast<float*>(storage.data())[i] = float(value);
            if (dtype == DType::float16) reinterpret_cast<Half*>(storage.data())[i] = to_half(float(value));
            if (dtype == DType::bfloat16) reinterpret_cast<BFloat16*>(storage.data())[i] = to_bfloat16(float(value));
        }
        view = {storage.data(), dtype, rows.count, rows.dim, rows.dim};
    }
};

struct Result {
    std::vector<float> distances;
    std::vector<int64_t> indices;
    std::vector<double> keys;

    explicit Result(KnnProblem& problem)
        : distances(size_t(problem.queries.rows * problem.k)), indices(distances.size()), keys(distances.size()) {
        problem.distances = distances.data();
        problem.indices = indices.data();
        problem.keys = keys.data();
    }

    bool same_bits(const Result& other) const {
        return indices == other.indices &&
               std::memcmp(distances.data(), other.distances.data(), distances.size() * sizeof(float)) == 0 &&
               std::memcmp(keys.data(), other.keys.data(), keys.size() * sizeof(double)) == 0;
    }
};

using Stats = std::vector<int64_t>;

int64_t stat(const Stats& stats, KnnDeviceStat which) {
    return stats[size_t(which)];
}

Stats check(KnnProblem problem, const char* what, int64_t most_chunk_rows = 1 << 20) {
    Result wanted(problem);
    knn_search_reference(problem);
    Result got(problem);
    HalfPlan plan = HalfPlan::of(problem.queries.rows, problem.references.rows, problem.queries.columns, problem.k);
    plan.chunk_rows = std::min(plan.chunk_rows, most_chunk_rows);
    const int64_t bytes = certified_search_bytes(plan);
    constexpr size_t kGuard = 64;
    std::vector<uint8_t> memory(size_t(bytes) + 256 + kGuard, 0xff);  // NaN and -1 wherever nobody wrote
    auto* const base = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory.data()) + 255) / 256 * 256);
    Stats stats(size_t(KnnDeviceStat::count), 0);
    certified_search(problem, plan, base, stats.data(), nullptr, launch_pass_sm80);
    CHECK(got.same_bits(wanted), "%s: metric %d, dtype %d, k %d", what, int(problem.metric), int(problem.queries.dtype),
          int(problem.k));
    for (size_t i = 0; i < kGuard; ++i) CHECK(base[size_t(bytes) + i] == 0xff, "%s: wrote behind the workspace", what);
    return stats;
}

KnnProblem make_problem(const Matrix& queries, const Matrix& references, int64_t k, KnnMetric metric) {
    KnnProblem problem;
    problem.queries = queries.view;
    problem.references = references.view;
    problem.k = k;
    problem.metric = metric;
    return problem;
}

/// With distances, and by turns with cosine or products: emulation is slow.
void check_metrics(const Rows& queries, const Rows& references, int64_t k, const char* what,
                   DType dtype = DType::float32) {
    static int turn = 0;
    const Matrix q(queries, dtype), r(references, dtype);
    check(make_problem(q, r, k, KnnMetric::l2), what);
    check(make_problem(q, r, k, kMetrics[1 + turn++ % 2]), what);
}

// Ordinary data is settled by the pass, with few keys; NaN and inf are nobody's neighbours.
void test_ordinary() {
    for (DType dtype : kDtypes) {
        Rows queries = normal_rows(50, 40, 1, 2), references = normal_rows(1400, 40, 2, 2);
        queries.row(3)[39] = std::numeric_limits<double>::infinity();
        references.row(600)[0] = std::numeric_limits<double>::quiet_NaN();
        const Matrix q(queries, dtype), r(references, dtype);
        for (KnnMetric metric : kMetrics) {
            if (dtype != DType::float32 && metric != kMetrics[int(dtype) % 3]) continue;
            const Stats stats = check(make_problem(q, r, 10, metric), "ordinary");
            CHECK(stat(stats, KnnDeviceStat::rows_float16) == 49 && stat(stats, KnnDeviceStat::rows_float64) == 0);
            CHECK(stat(stats, KnnDeviceStat::exact_keys) < 49 * 20, "%lld keys",
                  static_cast<long long>(stat(stats, KnnDeviceStat::exact_keys)));
        }
    }
}

void test_restrictions() {
    const Rows rows = normal_rows(1200, 20, 3);
    const Matrix matrix(rows, DType::float32);
    std::vector<int64_t> exclude(60), groups(1200);
    std::vector<uint8_t> mask(1200, 1);
    for (size_t i = 0; i < exclude.size(); ++i) exclude[i] = int64_t(i);
    for (size_t i = 0; i < groups.size(); ++i) groups[i] = int64_t(i / 7);
    for (size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 != 1;
    for (KnnMetric metric : kMetrics) {
        KnnProblem problem = make_problem(matrix, matrix, 7, metric);
        problem.queries.rows = 60;
        problem.exclude = exclude.data();
        check(problem, "exclude");
        problem.query_groups = problem.reference_groups = groups.data();
        problem.mask = mask.data();
        check(problem, "everything restricted");
        std::fill(mask.begin(), mask.end(), 0);
        for (size_t i = 0; i < mask.size(); i += 400) mask[i] = 1;
        check(problem, "hardly any reference");
        for (size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 != 1;
    }
}

// Shapes off every tile; several slices, chunks and frames.
void test_shapes() {
    check_metrics(normal_rows(1, 1, 4), normal_rows(1, 1, 5), 1, "one of each");
    check_metrics(normal_rows(3, 65, 6), normal_rows(255, 65, 7), 255, "all references");
    check_metrics(normal_rows(130, 129, 8), normal_rows(400, 129, 9), 3, "three slabs");
    check_metrics(normal_rows(10, 9, 10), normal_rows(3000, 9, 11), 100, "many slices");
    check_metrics(normal_rows(5, 7, 12), normal_rows(2000, 7, 13), 700, "large buffers");
    emulation::machine().shared_limit = 99 << 10;  // queries do not fit beside the ring
    check_metrics(normal_rows(20, 200, 14), normal_rows(600, 200, 15), 5, "little shared memory");
    emulation::machine().shared_limit = 227 << 10;
    const Rows rows = normal_rows(300, 12, 16);
    Matrix wide(rows, DType::float32);
    wide.view.columns = 9;  // rows 12 apart
    check(make_problem(wide, wide, 4, KnnMetric::l2), "strided rows");
}

// More candidates than room: thousands of equal rows leave by the exact scan, which goes by their index.
void test_overflow() {
    const Rows queries = normal_rows(4, 8, 17);
    Rows references = normal_rows(2100, 8, 18);
    for (int64_t r = 0; r < 2100; ++r)
        if (r % 50) std::copy_n(references.row(1), 8, references.row(r));
    const Matrix q(queries, DType::float32), r(references, DType::float32);
    const Stats stats = check(make_problem(q, r, 60, KnnMetric::l2), "overflow");
    CHECK(stat(stats, KnnDeviceStat::overflowed_rows) > 0);
    CHECK(stat(stats, KnnDeviceStat::rows_float64) + stat(stats, KnnDeviceStat::rows_float16) == 4);
}

void test_chunks() {
    Rows queries = normal_rows(300, 6, 19);
    queries.row(200)[2] = std::numeric_limits<double>::quiet_NaN();
    queries.row(250)[2] = 1e30;
    const Matrix q(queries, DType::float32), r(normal_rows(400, 6, 18), DType::float32);
    std::vector<int64_t> exclude(300);
    for (size_t i = 0; i < exclude.size(); ++i) exclude[i] = int64_t(i);
    KnnProblem problem = make_problem(q, r, 4, KnnMetric::l2);
    problem.exclude = exclude.data();
    const Stats stats = check(problem, "chunks", kTileQueries);
    CHECK(stat(stats, KnnDeviceStat::rows_float16) == 298 && stat(stats, KnnDeviceStat::rows_float64) == 1);
}

// The pass alone: small integers are exact, so every product shows whether it lies where it belongs.
void test_products() {
    for (int64_t depth : {64, 192}) {
        std::mt19937 random(40);
        std::vector<uint16_t> queries(size_t(kTileQueries * depth)), references(size_t(kBlockReferences * depth));
        for (uint16_t& value : queries) value = to_half(float(int(random() % 9) - 4)).bits;
        for (uint16_t& value : references) value = to_half(float(int(random() % 9) - 4)).bits;
        std::vector<float> products(size_t(kTileQueries * kBlockReferences), NAN);
        std::vector<uint8_t> workspace(static_cast<size_t>(knn_products_workspace_bytes()) + 256);
        knn_products(queries.data(), references.data(), depth, products.data(), workspace.data(), nullptr, "sm80");
        for (int q = 0; q < kTileQueries; ++q) {
            for (int r = 0; r < kBlockReferences; ++r) {
                float sum = 0;
                for (int64_t i = 0; i < depth; ++i)
                    sum += to_float(Half{queries[size_t(q * depth + i)]}) *
                           to_float(Half{references[size_t(r * depth + i)]});
                CHECK(products[size_t(q * kBlockReferences + r)] == sum, "query %d, reference %d", q, r);
            }
        }
    }
}

void test_hostile() {
    {
        Rows references = normal_rows(4, 16, 20);
        Rows repeated(1400, 16);
        for (int64_t r = 0; r < 1400; ++r) std::copy_n(references.row(r % 4), 16, repeated.row(r));
        check_metrics(references, repeated, 10, "duplicates");
    }
    {
        Rows centres = normal_rows(5, 24, 21), queries = normal_rows(20, 24, 22, 0, 0.003),
             references = normal_rows(1600, 24, 23, 0, 0.003);
        for (int64_t r = 0; r < 20; ++r)
            for (int i = 0; i < 24; ++i) queries.row(r)[i] += centres.row(r % 5)[i];
        for (int64_t r = 0; r < 1600; ++r)
            for (int i = 0; i < 24; ++i) references.row(r)[i] += centres.row(r % 5)[i];
        check_metrics(queries, references, 10, "collapsed classes");
    }
    {
        Rows references = normal_rows(1200, 32, 24);
        std::mt19937 random(25);
        std::normal_distribution<double> normal;
        for (int64_t r = 0; r < 1200; ++r) {
            const double factor = std::exp(3 * normal(random));
            for (int i = 0; i < 32; ++i) references.row(r)[i] *= factor;
        }
        check_metrics(normal_rows(20, 32, 26), references, 10, "lognormal norms");
        for (int i = 0; i < 32; ++i) references.row(77)[i] = 1e25 * (i - 10), references.row(78)[i] = 1e18;
        check_metrics(normal_rows(20, 32, 26), references, 10, "rows without a bound");
        for (int64_t r = 0; r < 200; ++r) references.row(r)[0] = 1e25 + 1e20 * double(r);
        check_metrics(normal_rows(5, 32, 26), references, 10, "too many without a bound");
    }
    {
        Rows onehot(800, 40);
        for (int64_t r = 0; r < 800; ++r) onehot.row(r)[r % 40] = 1;
        Rows queries(15, 40);
        for (int64_t r = 0; r < 15; ++r) queries.row(r)[r] = 1;
        check_metrics(queries, onehot, 10, "one-hot");
    }
    check_metrics(normal_rows(12, 16, 27, 0, 1e-41), normal_rows(700, 16, 28, 0, 1e-41), 10, "denormals");
    check_metrics(normal_rows(12, 16, 27, 0, 1e37), normal_rows(700, 16, 28, 0, 1e37), 10, "near overflow");
    check_metrics(normal_rows(12, 16, 27, 0, 1e6), normal_rows(700, 16, 28), 10, "far queries");
    check_metrics(normal_rows(12, 16, 27, 1000), normal_rows(700, 16, 28, 1000), 10, "common mean");
    check_metrics(Rows(12, 16), normal_rows(700, 16, 28), 10, "zero queries");
    check_metrics(normal_rows(12, 16, 27), Rows(700, 16), 10, "zero references");
    for (double scale : {1e300, 1e-300, 1e160, 1e-160})
        check_metrics(normal_rows(9, 7, 29, 0, scale), normal_rows(900, 7, 30, 0, scale), 6, "extreme float64",
                      DType::float64);
}

// Tensor cores that cut every addend off, in any grouping and either direction.
void test_erring_sums() {
    for (int group : {4, 8, 16}) {
        for (bool away : {false, true}) {
            emulation::machine().group = group;
            emulation::machine().away = away;
            Rows queries = normal_rows(8, 100, 31, 1), references = normal_rows(300, 100, 32, 1);
            check_metrics(queries, references, 5, "erring sums");
        }
    }
    emulation::machine().group = 0;
}

}  // namespace

// What knn/cuda/dispatch.cu says on a device.
PassLaunch rote::pass_of(const std::string&) {
    return launch_pass_sm80;
}
void rote::check_pass(PassLaunch) {}

int main() {
    test_ordinary();
    test_restrictions();
    test_shapes();
    test_overflow();
    test_chunks();
    test_products();
    test_hostile();
    test_erring_sums();
}
#endif
