// record/cuda/record.cu: presentations on the device. Eight lanes look at a row of logits; then one thread per example
// that the batch shows brings its state up to date. Rows of one example are found by a chain: every row puts itself at
// the head of its example's and remembers who stood there, and the head's thread takes them in the order of the batch.
#include <cstddef>

#include "record/row.h"
#include "rote/error.h"
#include "rote/record.h"
#include "runtime/launch.cuh"

namespace rote {
namespace {

using record::Extremes;
using record::Row;

constexpr int kTeam = record::kLanes, kThreads = 128, kRowsPerBlock = kThreads / kTeam;

/// What the first kernel leaves for the second.
struct Work {
    Row* rows;      // [B]
    int32_t* next;  // [B], the row of the same example that came to the chain before, or -1
};

int64_t bytes_of_rows(int64_t rows) {
    return (rows * int64_t(sizeof(Row)) + 255) / 256 * 256;
}

__device__ bool is_valid(const RecordBatch& batch, const RecordState& state, int64_t row) {
    const int64_t id = batch.ids[row], label = batch.labels[row];
    return id >= 0 && id < state.num_examples && label >= 0 && label < batch.logits.columns;
}

/// Over the eight lanes of a team; all lanes of the warp take part.
__device__ double team_sum(double value) {
    for (int offset = kTeam / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(kWarp, value, offset);
    return value;
}

__device__ double team_max(double value) {
    for (int offset = kTeam / 2; offset > 0; offset /= 2) {
        const double other = __shfl_xor_sync(kWarp, value, offset);
        value = other > value ? other : value;
    }
    return value;
}

__device__ int64_t team_min(int64_t value) {
    for (int offset = kTeam / 2; offset > 0; offset /= 2) {
        const int64_t other = __shfl_xor_sync(kWarp, value, offset);
        value = other < value ? other : value;
    }
    return value;
}

/// The same in every lane of the team.
template <class T>
__device__ Extremes extremes_of(const T* logits, int64_t classes, int64_t label, int lane) {
    const double negative_infinity = -1e308 * 10.0;
    double other = negative_infinity;
    int64_t first_nan = classes;
    for (int64_t c = lane; c < classes; c += kTeam) {
        const double logit = record::element(logits[c]);
        if (logit != logit && c < first_nan) first_nan = c;
        if (c != label && logit > other) other = logit;
    }
    Extremes extremes;
    extremes.label_logit = classes ? record::element(logits[label]) : 0.0;
    extremes.other = team_max(other);
    first_nan = team_min(first_nan);
    extremes.has_nan = first_nan < classes;
    const double largest = extremes.largest();
    int64_t first = classes;
    for (int64_t c = lane; c < classes && first == classes; c += kTeam)
        if (record::element(logits[c]) == largest) first = c;
    first = team_min(first);
    extremes.first_largest = extremes.has_nan ? first_nan : first;
    return extremes;
}

template <class T>
__global__ void __launch_bounds__(kThreads) rows_kernel(const RecordBatch batch, const RecordState state, Work work) {
    const int lane = int(threadIdx.x) % kTeam;
    const int64_t row = int64_t(blockIdx.x) * kRowsPerBlock + int(threadIdx.x) / kTeam;
    const bool valid = row < batch.logits.rows && is_valid(batch, state, row);
    // Lanes without a row go along, for the exchanges of their warp.
    const int64_t classes = valid ? batch.logits.columns : 0, label = valid ? batch.labels[row] : 0;
    const T* const logits = valid ? batch.logits.row<T>(row) : nullptr;
    const Extremes extremes = extremes_of(logits, classes, label, lane);
    const double largest = extremes.largest();
    double sum = 0.0, squares = 0.0;
    for (int64_t c = lane; c < classes; c += kTeam) {
        if (c == label || c == extremes.first_largest) continue;
        const double e = record::exp_of_nonpositive(record::element(logits[c]) - largest);
        sum += e;
        squares += e * e;
    }
    sum = team_sum(sum);
    squares = team_sum(squares);
    if (!valid || lane != 0) return;
    work.rows[row] = record::row_of(extremes, label, sum, squares);
    work.next[row] = atomicExch(&state.chain[batch.ids[row]], int32_t(row));
}

/// The row of a chain that comes next after `row` in the batch, -1 for none.
__device__ int32_t following(const Work& work, int32_t head, int32_t row) {
    int32_t found = -1;
    for (int32_t other = head; other >= 0; other = work.next[other])
        if (other > row && (found < 0 || other < found)) found = other;
    return found;
}

template <class T>
__global__ void __launch_bounds__(kThreads) states_kernel(const RecordBatch batch, const RecordState state, Work work) {
    const int lane = int(threadIdx.x) % kTeam;
    const int64_t row = int64_t(blockIdx.x) * kRowsPerBlock + int(threadIdx.x) / kTeam;
    const bool valid = row < batch.logits.rows && is_valid(batch, state, row);
    const int64_t id = valid ? batch.ids[row] : 0;
    int32_t last = -1;
    if (valid && lane == 0 && state.chain[id] == int32_t(row)) {
        for (int32_t one = following(work, int32_t(row), -1); one >= 0; one = following(work, int32_t(row), one)) {
            record::present(work.rows[one], state.counts + id * kRecordCounts, state.sums + id * kRecordSums,
                            state.values + id * kRecordValues);
            last = one;
        }
        state.chain[id] = -1;
    }
    if (!state.logits) return;
    last = __shfl_sync(kWarp, last, int(threadIdx.x) % kWarpLanes / kTeam * kTeam);
    if (last < 0) return;
    const T* const from = batch.logits.row<T>(last);
    float* const to = state.logits + id * batch.logits.columns;
    for (int64_t c = lane; c < batch.logits.columns; c += kTeam) to[c] = float(record::element(from[c]));
}

}  // namespace

int64_t record_workspace_bytes(int64_t rows) {
    return bytes_of_rows(rows) + rows * int64_t(sizeof(int32_t));
}

void record_presentations_cuda(const RecordBatch& batch, const RecordState& state, void* workspace, void* stream) {
    const int64_t rows = batch.logits.rows;
    if (rows == 0) return;
    ROTE_CHECK_ARG(rows <= INT32_MAX, "logits: wanted at most 2^31 - 1 rows, got ", rows);
    auto* const memory = static_cast<uint8_t*>(workspace);
    const Work work{reinterpret_cast<Row*>(memory), reinterpret_cast<int32_t*>(memory + bytes_of_rows(rows))};
    const int64_t blocks = (rows + kRowsPerBlock - 1) / kRowsPerBlock;
    const auto queue = static_cast<cudaStream_t>(stream);
    visit_float_dtype(batch.logits.dtype, [&](auto type) {
        using T = decltype(type);
        launch(rows_kernel<T>, blocks, kThreads, 0, queue, batch, state, work);
        launch(states_kernel<T>, blocks, kThreads, 0, queue, batch, state, work);
    });
}

}  // namespace rote
