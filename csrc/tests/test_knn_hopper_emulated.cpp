// The Hopper pass itself, run on the CPU (tests/emulation) inside the certified search, against the oracle: single
// blocks and clusters, queries that stay in shared memory and queries that stream, sums that err.
#include <cstdio>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main() {
    std::puts("skipped: sanitizers do not follow fibers");
}
#else
#include "emulation/cuda_runtime.h"
#include "emulation/hopper.h"
// The kernels, as they are.
#include "knn/cuda/certified.cu"
#include "knn/cuda/frame.cu"
#include "knn/cuda/hopper_block.cuh"
#include "knn/cuda/pack_queries.cu"
#include "knn/cuda/pack_references.cu"
#include "knn/cuda/rerank.cu"
#include "knn/cuda/simple.cu"
#include "knn/cuda/thin.cu"
//
#include <limits>
#include <vector>

#include "check.h"

using namespace rote;

namespace {

int clusters_at_a_time = 2, passes = 0;

// launch_pass_sm90 without a driver.
template <bool kStationary, int kCluster>
void launch_emulated(const PassOperands& pass, cudaStream_t) {
    const hopper::KernelParameters parameters =
        hopper::kernel_parameters(pass, kStationary, kCluster, clusters_at_a_time);
    const CUtensorMap queries{pass.queries, int64_t(pass.query_tiles) * kTileQueries, pass.depth, hopper::kQueryRows};
    const CUtensorMap references{pass.references, int64_t(pass.last_block) * kBlockReferences, pass.depth,
                                 hopper::share_rows(kStationary, kCluster)};
    const int clusters = std::min(clusters_at_a_time, parameters.schedule.items());
    emulation::run_clusters(clusters, kCluster, hopper::kThreads, size_t(parameters.plan.bytes), [&] {
        hopper::run_block<kStationary, kCluster>(parameters, &queries, &references,
                                                 emulation::cluster().shared[emulation::block_rank()].data());
    });
    ++passes;
}

std::vector<float> normal_rows(int64_t count, int64_t dim, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(1);
    std::vector<float> rows(static_cast<size_t>(count * dim));
    for (float& value : rows) value = normal(random);
    return rows;
}

struct Result {
    std::vector<int64_t> indices;
    std::vector<double> keys;

    explicit Result(KnnProblem& problem) : indices(size_t(problem.queries.rows * problem.k)), keys(indices.size()) {
        problem.indices = indices.data();
        problem.keys = keys.data();
    }
};

struct Case {
    const char* what;
    PassLaunch pass;
    int64_t queries, references, dim, k;
    KnnMetric metric;
    bool restricted = false;
};

void check(const Case& test) {
    const std::vector<float> queries = normal_rows(test.queries, test.dim, 1),
                             references = normal_rows(test.references, test.dim, 2);
    std::vector<int64_t> exclude, query_groups, reference_groups;
    KnnProblem problem;
    problem.queries = {queries.data(), DType::float32, test.queries, test.dim, test.dim};
    problem.references = {references.data(), DType::float32, test.references, test.dim, test.dim};
    problem.k = test.k;
    problem.metric = test.metric;
    if (test.restricted) {
        for (int64_t q = 0; q < test.queries; ++q) exclude.push_back(q * 3), query_groups.push_back(q % 5);
        for (int64_t r = 0; r < test.references; ++r) reference_groups.push_back(r % 5);
        problem.exclude = exclude.data();
        problem.query_groups = query_groups.data();
        problem.reference_groups = reference_groups.data();
    }
    Result wanted(problem);
    knn_search_reference(problem);
    Result got(problem);
    const HalfPlan plan = HalfPlan::of(test.queries, test.references, test.dim, test.k);
    const int64_t bytes = certified_search_bytes(plan);
    std::vector<uint8_t> memory(size_t(bytes) + 256, 0xff);
    auto* const base = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory.data()) + 255) / 256 * 256);
    std::vector<int64_t> stats(size_t(KnnDeviceStat::count), 0);
    passes = 0;
    certified_search(problem, plan, base, stats.data(), nullptr, test.pass);
    CHECK(got.indices == wanted.indices, "%s", test.what);
    CHECK(std::memcmp(got.keys.data(), wanted.keys.data(), got.keys.size() * sizeof(double)) == 0, "%s", test.what);
    // Answered by the pass, not by the scan that would repair its mistakes.
    CHECK(stats[size_t(KnnDeviceStat::rows_float16)] == test.queries, "%s: %d rows by the pass", test.what,
          int(stats[size_t(KnnDeviceStat::rows_float16)]));
    std::printf("%-28s %d passes, %lld keys\n", test.what, passes,
                static_cast<long long>(stats[size_t(KnnDeviceStat::exact_keys)]));
}

}  // namespace

int main() {
    const auto l2 = KnnMetric::l2, cosine = KnnMetric::cosine, ip = KnnMetric::ip;
    check({"one block", launch_emulated<true, 1>, 100, 1300, 40, 5, l2});
    check({"one block, restricted", launch_emulated<true, 1>, 100, 1100, 70, 5, cosine, true});
    check({"a pair", launch_emulated<true, 2>, 200, 1100, 130, 10, l2});
    check({"a pair, one tile too many", launch_emulated<true, 2>, 300, 800, 64, 3, ip, true});
    check({"a pair, eight chunks", launch_emulated<true, 2>, 130, 600, 512, 3, l2});
    check({"streamed", launch_emulated<false, 1>, 130, 600, 520, 3, l2});
    check({"streamed pair", launch_emulated<false, 2>, 300, 600, 600, 3, ip});
    for (const bool away : {false, true}) {
        emulation::machine().group = 16;
        emulation::machine().away = away;
        check({"erring sums", launch_emulated<true, 2>, 130, 520, 64, 5, l2});
    }
}
#endif
