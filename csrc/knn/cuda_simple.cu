// knn/cuda_simple.cu: the oracle on the device. One block per query, eight lanes per pair, float64 keys of every pair,
// a buffer of candidates in global workspace that is sorted and cut to k whenever it may overflow.
#include <cuda_runtime.h>

#include <algorithm>

#include "knn/admissible.h"
#include "knn/metric.h"
#include "rote/error.h"
#include "rote/knn.h"

namespace rote {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksPerProcessor = 3;               // leaves registers enough that nothing spills
constexpr int kPairsPerStep = kThreads / kKeyLanes;  // one reference per group of eight lanes
constexpr int kStepsPerCheck = 4;
constexpr int kPairsPerCheck = kPairsPerStep * kStepsPerCheck;
constexpr int64_t kMaxBlocks = 1056;  // eight per multiprocessor of the largest device; blocks take further queries
constexpr unsigned kWarp = 0xffffffffu;

struct Entry {
    double key;
    int64_t index;
};

// Room for k kept candidates and as many new ones, and for everything between two checks.
int64_t buffer_capacity(int64_t k) {
    int64_t capacity = 2 * kPairsPerCheck;
    while (capacity < 2 * k || capacity < k + kPairsPerCheck) capacity *= 2;
    return capacity;
}

int64_t block_count(int64_t num_queries) {
    return std::min(num_queries, kMaxBlocks);
}

// metric.h's tree over the eight lanes of a group; every lane ends with the sum.
__device__ double join_group(double value) {
    value = value + __shfl_xor_sync(kWarp, value, 4);
    value = value + __shfl_xor_sync(kWarp, value, 2);
    return value + __shfl_xor_sync(kWarp, value, 1);
}

__device__ bool all_of_group(bool value) {
    const unsigned votes = __ballot_sync(kWarp, value);
    const unsigned group = (threadIdx.x % 32) / kKeyLanes;
    return ((votes >> (group * kKeyLanes)) & 0xffu) == 0xffu;
}

// Bitonic sort of the first `count` entries by (key, index); the places up to the next power of two are filled with
// entries that sort last. Called by the whole block.
__device__ void sort_entries(Entry* entries, int64_t count) {
    int64_t size = 1;
    while (size < count) size *= 2;
    for (int64_t i = count + threadIdx.x; i < size; i += kThreads) entries[i] = {double(INFINITY), INT64_MAX};
    __syncthreads();
    for (int64_t width = 2; width <= size; width *= 2) {
        for (int64_t stride = width / 2; stride > 0; stride /= 2) {
            for (int64_t i = threadIdx.x; i < size; i += kThreads) {
                const int64_t partner = i ^ stride;
                if (partner <= i) continue;
                const Entry a = entries[i], b = entries[partner];
                const bool ascending = (i & width) == 0;
                if (comes_before(b.key, b.index, a.key, a.index) == ascending) {
                    entries[i] = b;
                    entries[partner] = a;
                }
            }
            __syncthreads();
        }
    }
}

__device__ void write_place(const KnnProblem& problem, int64_t at, double key, float distance, int64_t index) {
    if (problem.distances) problem.distances[at] = distance;
    if (problem.indices) problem.indices[at] = index;
    if (problem.keys) problem.keys[at] = key;
}

template <class T>
__device__ bool query_is_finite(const T* query, int64_t dim, int lane) {
    bool finite = true;
    for (int64_t i = lane; i < dim; i += kKeyLanes) finite = finite && is_finite(to_double(query[i]));
    return all_of_group(finite);
}

// Every thread of the group gets the key; `admissible` also says whether the reference is finite. Groups without a
// reference take part in the exchange alone.
template <class T>
__device__ double group_key(const KnnProblem& problem, const T* query, int64_t reference, int lane, bool& admissible) {
    PairSums sums;
    bool finite = true;
    if (admissible) {
        const T* const row = problem.references.row<T>(reference);
        for (int64_t i = lane; i < problem.references.columns; i += kKeyLanes) {
            const double r = to_double(row[i]);
            finite = finite && is_finite(r);
            sums.add(problem.metric, to_double(query[i]), r);
        }
    }
    admissible = all_of_group(finite) && admissible;
    return key_from_sums(problem.metric, join_group(sums.sum), join_group(sums.query_squares),
                         join_group(sums.reference_squares));
}

template <class T>
__global__ void __launch_bounds__(kThreads, kBlocksPerProcessor)
    nearest_kernel(const KnnProblem problem, Entry* workspace, int64_t capacity) {
    __shared__ int count;
    __shared__ Entry last;  // nothing behind it can be among the k nearest
    Entry* const entries = workspace + int64_t(blockIdx.x) * capacity;
    const int lane = threadIdx.x % kKeyLanes, group = threadIdx.x / kKeyLanes;
    const int64_t total = problem.references.rows, k = problem.k;
    const double nan = __longlong_as_double(0x7ff8000000000000ll);

    for (int64_t query = blockIdx.x; query < problem.queries.rows; query += gridDim.x) {
        const T* const q = problem.queries.row<T>(query);
        __syncthreads();  // the previous query is written
        if (!query_is_finite(q, problem.queries.columns, lane)) {
            for (int64_t i = threadIdx.x; i < k; i += kThreads)
                write_place(problem, query * k + i, nan, float_from_bits(0x7fc00000u), -1);
            continue;
        }
        if (threadIdx.x == 0) {
            count = 0;
            last = {double(INFINITY), INT64_MAX};
        }
        __syncthreads();
        for (int64_t base = 0; base < total; base += kPairsPerCheck) {
            for (int step = 0; step < kStepsPerCheck; ++step) {
                const int64_t reference = base + step * kPairsPerStep + group;
                bool admissible = reference < total && is_admissible(problem, query, reference);
                const double key = group_key(problem, q, reference, lane, admissible);
                if (lane == 0 && admissible && comes_before(key, reference, last.key, last.index))
                    entries[atomicAdd(&count, 1)] = {key, reference};
            }
            __syncthreads();
            const int filled = count;
            __syncthreads();  // read by all before the next step adds to it
            if (filled + kPairsPerCheck > capacity) {
                sort_entries(entries, filled);
                if (threadIdx.x == 0) {
                    last = entries[k - 1];
                    count = int(k);
                }
                __syncthreads();
            }
        }
        sort_entries(entries, count);
        for (int64_t i = threadIdx.x; i < k; i += kThreads) {
            const bool found = i < count;
            const double key = found ? entries[i].key : double(INFINITY);
            write_place(problem, query * k + i, key,
                        found ? distance_from_key(problem.metric, key) : worst_distance(problem.metric),
                        found ? entries[i].index : -1);
        }
    }
}

}  // namespace

int64_t knn_workspace_bytes(int64_t num_queries, int64_t, int64_t, int64_t k) {
    return block_count(num_queries) * buffer_capacity(k) * int64_t(sizeof(Entry));
}

void knn_search_cuda(const KnnProblem& problem, void* workspace, void* stream, const std::string& path) {
    check_knn_problem(problem);
    ROTE_CHECK_ARG(path == "auto" || path == "simple", "ROTE_KNN_PATH: wanted auto or simple, got '", path, "'");
    if (problem.queries.rows == 0) return;
    visit_float_dtype(problem.queries.dtype, [&](auto element) {
        nearest_kernel<decltype(element)>
            <<<unsigned(block_count(problem.queries.rows)), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
                problem, static_cast<Entry*>(workspace), buffer_capacity(problem.k));
    });
    ROTE_CUDA_CHECK(cudaGetLastError());
}

}  // namespace rote
