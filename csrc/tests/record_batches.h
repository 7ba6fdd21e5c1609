// tests/record_batches.h: batches of presentations with everything that is rare in them, and states to record them in.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "rote/dtype.h"
#include "rote/record.h"

namespace rote {

/// The states of `examples` examples, all zero.
struct RecordMemory {
    RecordMemory(int64_t examples, int64_t classes)
        : counts(size_t(examples * kRecordCounts)),
          sums(size_t(examples * kRecordSums)),
          values(size_t(examples * kRecordValues)),
          logits(size_t(examples * classes)),
          chain(size_t(examples), -1),
          examples(examples) {}

    RecordState state() {
        RecordState state;
        state.num_examples = examples;
        state.counts = counts.data();
        state.sums = sums.data();
        state.values = values.data();
        state.logits = logits.data();
        state.chain = chain.data();
        return state;
    }

    bool operator==(const RecordMemory& other) const {
        const auto same = [](const auto& a, const auto& b) {
            return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
        };
        return counts == other.counts && same(sums, other.sums) && same(values, other.values) &&
               same(logits, other.logits);
    }

    std::vector<int32_t> counts;
    std::vector<double> sums;
    std::vector<float> values, logits;
    std::vector<int32_t> chain;
    int64_t examples;
};

/// Random logits as a dtype's elements, with ties, infinities and NaN here and there, and ids that repeat.
struct RecordRows {
    RecordRows(DType dtype, int64_t rows, int64_t classes, int64_t examples, unsigned seed)
        : labels(size_t(rows)), ids(size_t(rows)), dtype(dtype), rows(rows), classes(classes), stride(classes + 3) {
        std::mt19937 random(seed);
        std::normal_distribution<double> normal(0.0, 4.0);
        memory.resize(size_t(rows * stride * dtype_bytes(dtype)));
        for (int64_t i = 0; i < rows; ++i) {
            labels[size_t(i)] = int64_t(random() % uint64_t(classes));
            ids[size_t(i)] = int64_t(random() % uint64_t(examples));
            const unsigned kind = random() % 8;
            for (int64_t c = 0; c < classes; ++c) {
                double logit = normal(random);
                if (kind == 0) logit = double(random() % 3);            // ties
                if (kind == 1 && random() % 3 == 0) logit = -INFINITY;  // classes left out
                if (kind == 2 && random() % 8 == 0) logit = random() % 2 ? NAN : INFINITY;
                if (kind == 3) logit *= 300.0;
                put(i * stride + c, logit);
            }
        }
    }

    RecordBatch batch() const { return {{memory.data(), dtype, rows, classes, stride}, labels.data(), ids.data()}; }

    std::vector<uint8_t> memory;
    std::vector<int64_t> labels, ids;
    DType dtype;
    int64_t rows, classes, stride;

  private:
    void put(int64_t at, double logit) {
        const auto store = [&](auto value) {
            std::memcpy(memory.data() + size_t(at) * sizeof value, &value, sizeof value);
        };
        switch (dtype) {
            case DType::float64:
                return store(logit);
            case DType::float16:
                return store(to_half(float(logit)));
            case DType::bfloat16:
                return store(to_bfloat16(float(logit)));
            default:
                return store(float(logit));
        }
    }
};

}  // namespace rote
