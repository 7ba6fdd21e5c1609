// record/row.h: what one row of logits says of its example, and what the example's state becomes by it; host and
// device.
//
// Sums over classes are eight interleaved float64 sums by class mod 8, added as ((0+4)+(2+6)) + ((1+5)+(3+7)), so that
// all executors agree to the bit.
#pragma once

#include "record/elementary.h"
#include "record/sums.h"
#include "rote/record.h"

#if defined(__CUDA_ARCH__)
#else
#include <cmath>
#endif

namespace rote {
namespace record {

/// One presentation. `margin` is the label's logit minus the largest other; where the logits are no distribution
/// (NaN, +inf, or -inf alone) nothing is defined, and no answer is right.
struct Row {
    double loss, margin, p_true, el2n;
    int32_t predicted, correct, defined;
};

/// What is known of a row before its sums: the first class with the largest logit (a NaN is larger than all), and so
/// on.
struct Extremes {
    double label_logit, other;  // of the label, and the largest of the others
    int64_t first_largest;
    bool has_nan;

    ROTE_HD double largest() const { return label_logit > other ? label_logit : other; }
    ROTE_HD bool defined() const { return !has_nan && largest() - largest() == 0.0; }  // finite
};

/// The row from its extremes and the sums of e = exp(logit - largest) and of e^2 over all classes but the label and the
/// first largest, whose own are known. 1 - p of the label is a sum of the other e, and log-sum-exp a log(1 + x), so
/// that nothing cancels where p is near 1.
ROTE_HD Row row_of(const Extremes& extremes, int64_t label, double sum, double squares) {
    Row row;
    row.predicted = int32_t(extremes.first_largest);
    row.defined = extremes.defined();
    row.correct = row.defined && extremes.first_largest == label;
    if (!row.defined) {
        const uint64_t quiet = 0x7ff8000000000000ull;
        double nan;
        memcpy(&nan, &quiet, sizeof nan);
        row.loss = row.margin = row.p_true = row.el2n = nan;
        return row;
    }
    const double behind = extremes.largest() - extremes.label_logit;
    const double own = row.correct ? 1.0 : exp_of_nonpositive(-behind);
    const double others = row.correct ? sum : 1.0 + sum;
    const double other_squares = row.correct ? squares : 1.0 + squares;
    const double beside_largest = row.correct ? sum : own + sum;
    const double total = 1.0 + beside_largest;
    row.loss = behind + log_of_one_plus(beside_largest);
    row.margin = extremes.label_logit - extremes.other;
    row.p_true = own / total;
    row.el2n = sqrt(other_squares + others * others) / total;
    return row;
}

/// The state of an example after one more presentation.
ROTE_HD void present(const Row& row, int32_t* counts, double* sums, float* values) {
    const int32_t before = counts[kPresentations];
    const bool was_wrong = before > counts[kCorrect] && counts[kLastIncorrect] == before - 1;
    if (row.correct) {
        if (counts[kCorrect] == 0) counts[kFirstCorrect] = before;
        counts[kCorrect] += 1;
    } else {
        if (before > 0 && !was_wrong) counts[kForgetting] += 1;
        counts[kLastIncorrect] = before;
    }
    counts[kPresentations] = before + 1;
    counts[kSeen] += 1;
    counts[kPredicted] = row.predicted;
    values[kLoss] = float(row.loss);
    values[kMargin] = float(row.margin);
    values[kPTrue] = float(row.p_true);
    values[kEl2n] = float(row.el2n);
    if (!row.defined) {
        counts[kUndefined] += 1;
        return;
    }
    sums[kSumLoss] += row.loss;
    sums[kSumMargin] += row.margin;
    sums[kSumEl2n] += row.el2n;
    // Welford's recurrence (Technometrics 4, 1962): equal values have variance 0, not a difference of large numbers.
    const double distance = row.p_true - sums[kMeanPTrue];
    const double mean = sums[kMeanPTrue] + distance / double(counts[kPresentations] - counts[kUndefined]);
    sums[kSquaresPTrue] += distance * (row.p_true - mean);
    sums[kMeanPTrue] = mean;
}

ROTE_HD double element(double value) {
    return value;
}
ROTE_HD double element(float value) {
    return double(value);
}
ROTE_HD double element(Half value) {
    return double(to_float(value));
}
ROTE_HD double element(BFloat16 value) {
    return double(to_float(value));
}

}  // namespace record
}  // namespace rote
