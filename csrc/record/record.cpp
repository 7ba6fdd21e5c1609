// record/record.cpp: presentations on the CPU: rows of logits side by side, then the states in the order of the batch.
#include "rote/record.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "record/row.h"
#include "rote/error.h"
#include "runtime/parallel.h"

namespace rote {
namespace {

using record::Extremes;
using record::kLanes;
using record::Row;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The largest of the logits in [begin, end), -inf for none; NaN is passed over.
double largest_of(const double* logits, int64_t begin, int64_t end) {
    double lanes[kLanes];
    std::fill_n(lanes, kLanes, -kInfinity);
    int64_t c = begin;
    for (; c + kLanes <= end; c += kLanes)
        for (int l = 0; l < kLanes; ++l) lanes[l] = logits[c + l] > lanes[l] ? logits[c + l] : lanes[l];
    double largest = -kInfinity;
    for (; c < end; ++c) largest = logits[c] > largest ? logits[c] : largest;
    for (double lane : lanes) largest = lane > largest ? lane : largest;
    return largest;
}

Extremes extremes_of(const double* logits, int64_t classes, int64_t label) {
    Extremes extremes;
    extremes.label_logit = logits[label];
    extremes.other = std::max(largest_of(logits, 0, label), largest_of(logits, label + 1, classes));
    double nan = 0.0;
    for (int64_t c = 0; c < classes; ++c) nan += logits[c] != logits[c] ? 1.0 : 0.0;
    extremes.has_nan = nan > 0.0;
    const double largest = extremes.largest();
    int64_t first = 0;
    if (extremes.has_nan)
        while (logits[first] == logits[first]) ++first;
    else
        while (logits[first] != largest) ++first;
    extremes.first_largest = first;
    return extremes;
}

double tree(const double* lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// `logits` has room for whole blocks of eight behind its classes; it is written over.
Row row_of_logits(double* logits, int64_t classes, int64_t label, record::SumRow sum_row) {
    const Extremes extremes = extremes_of(logits, classes, label);
    if (!extremes.defined()) return record::row_of(extremes, label, 0.0, 0.0);
    const double largest = extremes.largest();
    const int64_t whole = (classes + kLanes - 1) / kLanes * kLanes;
    std::fill(logits + classes, logits + whole, -kInfinity);
    logits[label] = logits[extremes.first_largest] = -kInfinity;  // e^-inf = 0 changes no bit of a sum
    const record::LaneSums sums = sum_row(logits, whole, largest);
    return record::row_of(extremes, label, tree(sums.exponentials), tree(sums.squares));
}

void check(const RecordBatch& batch, const RecordState& state) {
    for (int64_t i = 0; i < batch.logits.rows; ++i) {
        ROTE_CHECK_ARG(batch.ids[i] >= 0 && batch.ids[i] < state.num_examples, "ids: wanted ids in [0, ",
                       state.num_examples, "), got ", batch.ids[i]);
        ROTE_CHECK_ARG(batch.labels[i] >= 0 && batch.labels[i] < batch.logits.columns, "labels: wanted classes in [0, ",
                       batch.logits.columns, "), got ", batch.labels[i]);
    }
}

template <class T>
void keep_logits(const RecordBatch& batch, const RecordState& state) {
    const int64_t classes = batch.logits.columns;
    for (int64_t i = 0; i < batch.logits.rows; ++i) {
        const T* from = batch.logits.row<T>(i);
        float* to = state.logits + batch.ids[i] * classes;
        for (int64_t c = 0; c < classes; ++c) to[c] = float(record::element(from[c]));
    }
}

}  // namespace

void record_presentations(const RecordBatch& batch, const RecordState& state, int num_threads, SimdLevel level) {
    check(batch, state);
    const int64_t rows = batch.logits.rows, classes = batch.logits.columns;
    const record::SumRow sum_row = record::sum_row_of(level);
    std::vector<Row> found(static_cast<size_t>(rows));
    visit_float_dtype(batch.logits.dtype, [&](auto type) {
        using T = decltype(type);
        const int64_t grain = std::max<int64_t>(1, 8192 / classes);
        parallel_for(rows, grain, num_threads, [&](int64_t begin, int64_t end, int) {
            std::vector<double> logits(size_t(classes + kLanes));
            for (int64_t i = begin; i < end; ++i) {
                const T* from = batch.logits.row<T>(i);
                for (int64_t c = 0; c < classes; ++c) logits[size_t(c)] = record::element(from[c]);
                found[size_t(i)] = row_of_logits(logits.data(), classes, batch.labels[i], sum_row);
            }
        });
        if (state.logits) keep_logits<T>(batch, state);
    });
    // In the order of the batch: what is recorded does not depend on threads.
    FloatEnvironment environment;
    for (int64_t i = 0; i < rows; ++i) {
        const int64_t id = batch.ids[i];
        record::present(found[size_t(i)], state.counts + id * kRecordCounts, state.sums + id * kRecordSums,
                        state.values + id * kRecordValues);
    }
}

}  // namespace rote
