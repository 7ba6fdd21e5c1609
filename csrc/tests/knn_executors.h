// tests/knn_executors.h: every way to search on the CPU, and that they all give the oracle's bits.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "check.h"
#include "knn/cpu/kernel_templates.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/search_cpu.h"
#include "rote/knn.h"

namespace rote {

constexpr KnnMetric kMetrics[] = {KnnMetric::l2, KnnMetric::sqeuclidean, KnnMetric::cosine, KnnMetric::ip};
constexpr KnnPath kPaths[] = {KnnPath::automatic, KnnPath::int16, KnnPath::float32, KnnPath::float64};

// ThreadSanitizer looks for races: one table of kernels has all of them.
#if defined(__SANITIZE_THREAD__)
constexpr bool kRacesOnly = true;
#else
constexpr bool kRacesOnly = false;
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // several times slower
#else
constexpr bool kSanitized = false;
#endif

// The tile shapes of AVX2 and AVX-512 on whatever this machine has.
template <int Lanes, int Rows, int Doubles>
struct Forced : PortableIntegers<Lanes> {
    using Vector = PortableVector<Lanes>;
    static constexpr int kQueryRows = Rows, kPanelVectors = 2, kDoubleLanes = Doubles, kPrefetch = 16,
                         kInt16Rows = Rows;
    static void multiply(const Int16Tile& tile, typename PortableIntegers<Lanes>::Integers (&sum)[Rows][2]) {
        multiply_int16<Forced>(tile, sum);
    }
    static void half_to_float(const uint16_t* in, int64_t count, float* out) {
        for (int64_t i = 0; i < count; ++i) out[i] = to_float(Half{in[i]});
    }
};

inline const std::vector<KnnKernels>& all_kernels() {
    static const std::vector<KnnKernels> all = [] {
        std::vector<KnnKernels> kernels;
        for (SimdLevel level : compiled_simd_levels())
            if (level <= detected_simd_level()) kernels.push_back(knn_kernels(level));
        if (kRacesOnly) return std::vector<KnnKernels>{kernels.back()};
#if defined(ROTE_X86)
        if (has_avx512_vnni()) kernels.push_back(knn_kernels_avx512());
#endif
        kernels.push_back(KernelTemplates<Forced<8, 6, 4>>::table("6 x 16"));
        kernels.push_back(KernelTemplates<Forced<16, 12, 8>>::table("12 x 32"));
        return kernels;
    }();
    return all;
}

/// A problem with results of its own.
struct Search {
    KnnProblem problem;
    std::vector<float> distances;
    std::vector<double> keys;
    std::vector<int64_t> indices;

    explicit Search(const KnnProblem& wanted)
        : problem(wanted),
          distances(size_t(wanted.queries.rows * wanted.k)),
          keys(distances.size()),
          indices(distances.size()) {
        problem.distances = distances.data();
        problem.indices = indices.data();
        problem.keys = keys.data();
    }
    Search(const Search&) = delete;

    bool same_row(const Search& other, int64_t query) const {
        const auto at = size_t(query * problem.k), count = size_t(problem.k);
        return std::memcmp(indices.data() + at, other.indices.data() + at, 8 * count) == 0 &&
               std::memcmp(keys.data() + at, other.keys.data() + at, 8 * count) == 0 &&
               std::memcmp(distances.data() + at, other.distances.data() + at, 4 * count) == 0;
    }
    bool same_as(const Search& other) const {
        for (int64_t query = 0; query < problem.queries.rows; ++query)
            if (!same_row(other, query)) return false;
        return true;
    }
    /// -1 and NaN throughout.
    bool is_flagged(int64_t query) const {
        for (int64_t i = query * problem.k; i < (query + 1) * problem.k; ++i)
            if (indices[size_t(i)] != -1 || keys[size_t(i)] == keys[size_t(i)] ||
                distances[size_t(i)] == distances[size_t(i)])
                return false;
        return true;
    }
};

/// Kernels, threads and paths: the oracle's bits. Without the fallback each row has them or is flagged.
inline void check_all_executors(const KnnProblem& problem, const char* what) {
    Search oracle(problem);
    knn_search_reference(oracle.problem);
    for (const KnnKernels& kernels : all_kernels()) {
        for (int threads : {1, 3}) {
            if (kRacesOnly && threads == 1) continue;
            for (KnnPath path : kPaths) {
                Search fast(problem);
                search_with_kernels(fast.problem, kernels, {threads, SimdLevel::baseline, path, true});
                CHECK(fast.same_as(oracle), "%s, kernels %s, %d threads, path %d, metric %d", what, kernels.name,
                      threads, int(path), int(problem.metric));
            }
            Search certified(problem);
            const KnnStats stats =
                search_with_kernels(certified.problem, kernels, {threads, SimdLevel::baseline, KnnPath::int16, false});
            int64_t flagged = 0;
            for (int64_t query = 0; query < problem.queries.rows; ++query) {
                if (certified.same_row(oracle, query)) continue;
                ++flagged;
                CHECK(certified.is_flagged(query), "%s, kernels %s, metric %d: query %d is wrong without fallback",
                      what, kernels.name, int(problem.metric), int(query));
            }
            CHECK(flagged <= stats.uncertified_rows, "%s: %d flagged", what, int(flagged));
        }
    }
}

}  // namespace rote
