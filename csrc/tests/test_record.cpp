// tests/test_record.cpp: presentations against sums in long double, histories by hand, and bad ids.
#include "rote/record.h"

#include <algorithm>
#include <limits>

#include "check.h"
#include "record/elementary.h"
#include "record_batches.h"
#include "rote/error.h"

using namespace rote;

namespace {

double relative(double found, long double wanted) {
    // Below 1e-300 e^x is 0 here, and long double goes on.
    return std::fabs(wanted) < 1e-300L ? std::fabs(found) : double(std::fabs((found - wanted) / wanted));
}

void test_elementary_functions() {
    double worst_exp = 0, worst_log = 0;
    for (int i = 0; i <= 400000; ++i) {
        const double x = -707.9 * i / 400000.0;
        worst_exp = std::max(worst_exp, relative(record::exp_of_nonpositive(x), std::exp((long double)x)));
        const double tiny = x / 707.9;
        worst_exp = std::max(worst_exp, relative(record::exp_of_nonpositive(tiny), std::exp((long double)tiny)));
        for (double y : {-x, -tiny, std::exp(x), std::ldexp(1.0 - tiny, i % 80)})
            worst_log = std::max(worst_log, relative(record::log_of_one_plus(y), std::log1p((long double)y)));
    }
    CHECK(worst_exp < 5e-16, "e^x is off by %g", worst_exp);
    CHECK(worst_log < 1e-15, "log(1 + x) is off by %g", worst_log);
    CHECK(record::exp_of_nonpositive(0.0) == 1.0 && record::exp_of_nonpositive(-INFINITY) == 0.0);
    CHECK(record::exp_of_nonpositive(-709.0) == 0.0 &&
          record::exp_of_nonpositive(-std::numeric_limits<double>::max()) == 0);
    CHECK(record::log_of_one_plus(0.0) == 0.0);
}

/// One row, shown once to one example.
RecordMemory shown(const std::vector<double>& logits, int64_t label) {
    RecordMemory memory(1, int64_t(logits.size()));
    const int64_t id = 0, classes = int64_t(logits.size());
    record_presentations({{logits.data(), DType::float64, 1, classes, classes}, &label, &id}, memory.state(), 1);
    return memory;
}

void test_against_long_double() {
    std::mt19937 random(3);
    for (int64_t classes : {2, 3, 7, 8, 9, 10, 100, 1000}) {
        for (double scale : {0.01, 1.0, 30.0, 1000.0}) {
            std::normal_distribution<double> normal(0.0, scale);
            std::vector<double> logits(static_cast<size_t>(classes));
            for (double& logit : logits) logit = normal(random);
            for (int64_t label : {int64_t(0), classes / 2, classes - 1}) {
                const long double largest = *std::max_element(logits.begin(), logits.end());
                long double sum = 0, other = -INFINITY, squares = 0;
                for (double logit : logits) sum += std::exp(logit - largest);
                for (int64_t c = 0; c < classes; ++c) {
                    const long double p = std::exp(logits[size_t(c)] - largest) / sum;
                    if (c != label) other = std::max(other, (long double)logits[size_t(c)]);
                    if (c != label) squares += p * p;
                }
                long double rest = 0;
                for (int64_t c = 0; c < classes; ++c)
                    if (c != label) rest += std::exp(logits[size_t(c)] - largest) / sum;
                const long double own = logits[size_t(label)];
                const RecordMemory memory = shown(logits, label);
                CHECK(relative(memory.sums[kSumLoss],
                               largest == own ? std::log1p(rest / (1 - rest)) : largest - own + std::log(sum)) < 4e-15);
                CHECK(memory.sums[kSumMargin] == double(own - other));
                CHECK(relative(memory.sums[kSumEl2n], std::sqrt(squares + rest * rest)) < 4e-15);
                CHECK(std::fabs(memory.sums[kMeanPTrue] - double(std::exp(own - largest) / sum)) < 4e-16);
                CHECK(memory.values[kLoss] == float(memory.sums[kSumLoss]));
                CHECK(memory.counts[kCorrect] == (own > other));
            }
        }
    }
}

void test_rows_that_are_rare() {
    const double inf = INFINITY;
    RecordMemory tie = shown({1, 3, 3}, 2);
    CHECK(tie.counts[kPredicted] == 1 && tie.counts[kCorrect] == 0 && tie.sums[kSumMargin] == 0);
    tie = shown({1, 3, 3}, 1);
    CHECK(tie.counts[kPredicted] == 1 && tie.counts[kCorrect] == 1 && tie.sums[kSumMargin] == 0);
    CHECK(shown({0, 0}, 0).sums[kMeanPTrue] == 0.5);

    const RecordMemory left_out = shown({-inf, 2, 1}, 0);
    CHECK(left_out.sums[kSumLoss] == inf && left_out.sums[kSumMargin] == -inf && left_out.sums[kMeanPTrue] == 0);
    CHECK(left_out.counts[kUndefined] == 0 && left_out.counts[kCorrect] == 0);
    const RecordMemory alone = shown({-inf, 2, -inf}, 1);
    CHECK(alone.sums[kSumLoss] == 0 && alone.sums[kSumMargin] == inf && alone.sums[kMeanPTrue] == 1);
    CHECK(alone.counts[kCorrect] == 1 && alone.sums[kSumEl2n] == 0);

    const std::vector<double> undefined[] = {{0, NAN, 5}, {0, inf, 5}, {-inf, -inf, -inf}, {inf, inf, 0}};
    const int32_t predicted[] = {1, 1, 0, 0};
    for (int i = 0; i < 4; ++i) {
        const RecordMemory memory = shown(undefined[i], predicted[i]);
        CHECK(memory.counts[kUndefined] == 1 && memory.counts[kPresentations] == 1 && memory.counts[kCorrect] == 0);
        CHECK(memory.counts[kPredicted] == predicted[i] && memory.counts[kLastIncorrect] == 0);
        for (float value : memory.values) CHECK(std::isnan(value));
        for (double sum : memory.sums) CHECK(sum == 0);
    }
}

void test_histories() {
    struct History {
        std::vector<int> right;
        int32_t forgetting, first, last_wrong;
    };
    const History histories[] = {
        {{1, 1, 1}, 0, 0, 0}, {{0, 0, 0}, 0, 0, 2}, {{0, 1, 0, 1, 1, 0}, 2, 1, 5}, {{1, 0}, 1, 0, 1}, {{0, 1}, 0, 1, 0},
        {{1}, 0, 0, 0},       {{0}, 0, 0, 0},       {{1, 0, 0, 1, 0, 1}, 2, 0, 4}};
    for (const History& history : histories) {
        // All presentations of the example in one batch, and then one at a time.
        for (bool together : {true, false}) {
            RecordMemory memory(3, 2);
            std::vector<double> logits;
            for (int right : history.right) logits.insert(logits.end(), {right ? 1.0 : -1.0, 0.0});
            const std::vector<int64_t> labels(history.right.size(), 0), ids(history.right.size(), 2);
            const int64_t count = int64_t(history.right.size()), step = together ? count : 1;
            for (int64_t i = 0; i < count; i += step)
                record_presentations({{logits.data() + 2 * i, DType::float64, step, 2, 2}, labels.data(), ids.data()},
                                     memory.state(), 1);
            const int32_t* const counts = memory.counts.data() + 2 * kRecordCounts;
            CHECK(counts[kPresentations] == count && counts[kSeen] == count);
            CHECK(counts[kCorrect] == std::count(history.right.begin(), history.right.end(), 1));
            CHECK(counts[kForgetting] == history.forgetting && counts[kFirstCorrect] == history.first);
            CHECK(counts[kLastIncorrect] == history.last_wrong);
            CHECK(memory.counts[kPresentations] == 0 && memory.sums[kSumLoss] == 0);
        }
    }
}

void test_equal_probabilities_have_no_variance() {
    RecordMemory memory(1, 2);
    const double logits[2] = {0.1, -0.7};
    const int64_t label = 1, id = 0;
    for (int i = 0; i < 1000; ++i)
        record_presentations({{logits, DType::float64, 1, 2, 2}, &label, &id}, memory.state(), 1);
    CHECK(memory.sums[kSquaresPTrue] == 0.0 && memory.counts[kPresentations] == 1000);
}

void test_threads_levels_and_dtypes() {
    for (DType dtype : {DType::float32, DType::float16, DType::bfloat16, DType::float64}) {
        for (int64_t classes : {2, 10, 1000}) {
            const RecordRows rows(dtype, 700, classes, 300, unsigned(classes));
            RecordMemory one(300, classes), many(300, classes), single(300, classes);
            record_presentations(rows.batch(), one.state(), 1);
            record_presentations(rows.batch(), many.state(), 4);
            CHECK(one == many);
            for (SimdLevel level : compiled_simd_levels()) {
                if (level > detected_simd_level()) continue;
                RecordMemory other(300, classes);
                record_presentations(rows.batch(), other.state(), 1, level);
                CHECK(one == other, "%s", simd_level_name(level));
            }
            const int64_t bytes = rows.stride * dtype_bytes(dtype);
            for (int64_t i = 0; i < rows.rows; ++i)
                record_presentations({{rows.memory.data() + i * bytes, dtype, 1, classes, rows.stride},
                                      &rows.labels[size_t(i)],
                                      &rows.ids[size_t(i)]},
                                     single.state(), 1);
            CHECK(one == single, "the order of the batch");
        }
    }
}

void test_bad_ids_record_nothing() {
    const double logits[4] = {0, 1, 2, 3};
    for (int64_t id : {-1, 3, 1 << 30}) {
        RecordMemory memory(3, 2);
        const int64_t ids[2] = {0, id}, labels[2] = {0, 1};
        CHECK_THROWS(ArgumentError,
                     record_presentations({{logits, DType::float64, 2, 2, 2}, labels, ids}, memory.state(), 1));
        CHECK(memory == RecordMemory(3, 2));
    }
    for (int64_t label : {-1, 2}) {
        RecordMemory memory(3, 2);
        const int64_t ids[2] = {0, 1}, labels[2] = {0, label};
        CHECK_THROWS(ArgumentError,
                     record_presentations({{logits, DType::float64, 2, 2, 2}, labels, ids}, memory.state(), 1));
        CHECK(memory == RecordMemory(3, 2));
    }
    RecordMemory memory(3, 2);
    record_presentations({{logits, DType::float64, 0, 2, 2}, nullptr, nullptr}, memory.state(), 1);
    CHECK(memory == RecordMemory(3, 2));
}

}  // namespace

int main() {
    test_elementary_functions();
    test_against_long_double();
    test_rows_that_are_rare();
    test_histories();
    test_equal_probabilities_have_no_variance();
    test_threads_levels_and_dtypes();
    test_bad_ids_record_nothing();
    std::puts("record: ok");
}
