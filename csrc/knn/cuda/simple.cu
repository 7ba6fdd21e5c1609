// knn/cuda/simple.cu: the oracle on the device. One block per query, eight lanes per pair, float64 keys of every pair,
// a buffer of candidates in global workspace that is sorted and cut to k whenever it may overflow.
#include <cuda_runtime.h>

#include <algorithm>

#include "knn/cuda/exact.cuh"

namespace rote {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksPerProcessor = 3;               // leaves registers enough that nothing spills
constexpr int kPairsPerStep = kThreads / kKeyLanes;  // one reference per group of eight lanes
constexpr int kStepsPerCheck = 4;
constexpr int kPairsPerCheck = kPairsPerStep * kStepsPerCheck;
constexpr int64_t kMaxBlocks = 1056;  // eight per multiprocessor of the largest device; blocks take further queries

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

int64_t block_count(int64_t rows) {
    return std::min(rows, kMaxBlocks);
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

template <class T>
__global__ void __launch_bounds__(kThreads, kBlocksPerProcessor)
    nearest_kernel(const KnnProblem problem, const RowList list, Entry* workspace, int64_t capacity) {
    __shared__ int count;
    __shared__ Entry last;  // nothing behind it can be among the k nearest
    Entry* const entries = workspace + int64_t(blockIdx.x) * capacity;
    const int lane = threadIdx.x % kKeyLanes, group = threadIdx.x / kKeyLanes;
    const int64_t total = problem.references.rows, k = problem.k;
    const int64_t listed = list.rows ? int64_t(*list.count) : problem.queries.rows;

    for (int64_t place = blockIdx.x; place < listed; place += gridDim.x) {
        const int64_t query = list.rows ? list.first + list.rows[place] : place;
        const T* const q = problem.queries.row<T>(query);
        __syncthreads();  // the previous query is written
        if (!query_is_finite(q, problem.queries.columns, lane)) {
            for (int64_t i = threadIdx.x; i < k; i += kThreads) write_no_query(problem, query * k + i);
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
        for (int64_t i = threadIdx.x; i < k; i += kThreads)
            write_neighbor(problem, query * k + i, i < count, i < count ? entries[i].key : 0.0,
                           i < count ? entries[i].index : -1);
    }
}

}  // namespace

int64_t exact_scan_bytes(int64_t most_rows, int64_t k) {
    return block_count(most_rows) * buffer_capacity(k) * int64_t(sizeof(Entry));
}

void launch_exact_scan(const KnnProblem& problem, const RowList& list, void* workspace, cudaStream_t stream) {
    visit_float_dtype(problem.queries.dtype, [&](auto element) {
        launch(nearest_kernel<decltype(element)>, block_count(list.rows ? list.most : problem.queries.rows), kThreads,
               0, stream, problem, list, static_cast<Entry*>(workspace), buffer_capacity(problem.k));
    });
}

}  // namespace rote
