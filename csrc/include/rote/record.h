// rote/record.h: what a network says of every example it is shown, recorded by the example's id.
#pragma once

#include <cstdint>

#include "rote/tensor.h"
#include "runtime/simd.h"

namespace rote {

/// Columns of RecordState::counts. An index counts the presentations of that example before the one it names.
enum RecordCount : int {
    kPresentations = 0,
    kCorrect = 1,        // presentations with the right answer
    kForgetting = 2,     // right at one presentation, wrong at the next
    kFirstCorrect = 3,   // index; 0 where kCorrect is 0
    kLastIncorrect = 4,  // index; 0 where no answer was wrong
    kUndefined = 5,      // presentations whose logits are no distribution
    kSeen = 6,           // presentations in this epoch
    kPredicted = 7,      // the class answered at the last presentation
    kRecordCounts = 8
};

/// Columns of RecordState::sums, over the presentations that are defined.
enum RecordSum : int {
    kSumLoss = 0,
    kSumMargin = 1,
    kSumEl2n = 2,
    kMeanPTrue = 3,
    kSquaresPTrue = 4,  // sum of squared distances of p of the label to its mean
    kRecordSums = 5
};

/// Columns of RecordState::values, of the last presentation.
enum RecordValue : int { kLoss = 0, kMargin = 1, kPTrue = 2, kEl2n = 3, kRecordValues = 4 };

/// One row per example, each in its own stretch of memory, since examples come in any order.
struct RecordState {
    int64_t num_examples = 0;
    int32_t* counts = nullptr;  // [num_examples, kRecordCounts]
    double* sums = nullptr;     // [num_examples, kRecordSums]
    float* values = nullptr;    // [num_examples, kRecordValues]
    float* logits = nullptr;    // [num_examples, C], those of the last presentation; null: not kept
    int32_t* chain = nullptr;   // [num_examples], CUDA: -1 between calls
};

/// A batch: row i are the logits of example ids[i], whose label is labels[i].
struct RecordBatch {
    MatrixView logits;  // [B, C], C >= 2
    const int64_t* labels = nullptr;
    const int64_t* ids = nullptr;
};

/// Records the presentations of a batch in the order of its rows; an example may come more than once.
/// All levels give the same bits. ArgumentError for an id or a label out of range; then nothing is recorded.
void record_presentations(const RecordBatch& batch, const RecordState& state, int num_threads,
                          SimdLevel level = simd_level());

/// Device memory that `record_presentations_cuda` works in, for a batch of so many rows.
int64_t record_workspace_bytes(int64_t rows);

/// The same on CUDA, bit for bit. Nothing waits; a row whose id or label is out of range is left out.
void record_presentations_cuda(const RecordBatch& batch, const RecordState& state, void* workspace, void* stream);

}  // namespace rote
