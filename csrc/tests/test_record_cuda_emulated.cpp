// tests/test_record_cuda_emulated.cpp: the CUDA kernels of the recorder, as they are, run on the CPU (tests/emulation),
// against the CPU executor, bit for bit.
#include <cstdio>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main() {
    std::puts("skipped: sanitizers do not follow fibers");
}
#else
#include "emulation/cuda_runtime.h"
// The kernels, as they are.
#include "record/cuda/record.cu"
//
#include <algorithm>

#include "check.h"
#include "record_batches.h"

using namespace rote;

namespace {

constexpr size_t kGuard = 64;

void record_emulated(const RecordBatch& batch, const RecordState& state) {
    const size_t wanted = size_t(record_workspace_bytes(batch.logits.rows));
    std::vector<uint8_t> memory(wanted + 16 + kGuard, 0xff);
    auto* const base = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory.data()) + 15) / 16 * 16);
    record_presentations_cuda(batch, state, base, nullptr);
    for (size_t i = 0; i < kGuard; ++i) CHECK(base[wanted + i] == 0xff, "wrote behind the workspace");
}

void test_bits() {
    for (DType dtype : {DType::float32, DType::float16, DType::bfloat16, DType::float64}) {
        for (int64_t classes : {2, 7, 8, 10, 100}) {
            for (int64_t examples : {1, 5, 200}) {
                RecordMemory oracle(examples, classes), device(examples, classes);
                for (unsigned step = 0; step < 4; ++step) {  // states go on from batch to batch
                    const int64_t rows = step == 3 ? 1 : 37;
                    const RecordRows batch(dtype, rows, classes, examples, 100 * step + unsigned(classes));
                    record_presentations(batch.batch(), oracle.state(), 1);
                    record_emulated(batch.batch(), device.state());
                    CHECK(oracle == device, "%d classes, %d examples, step %u", int(classes), int(examples), step);
                    for (int32_t head : device.chain) CHECK(head == -1);
                }
            }
        }
    }
}

void test_bad_rows_are_left_out() {
    RecordRows rows(DType::float32, 40, 10, 20, 1);
    rows.ids[3] = -1;
    rows.ids[4] = 20;
    rows.ids[17] = int64_t(1) << 62;
    rows.labels[5] = 10;
    rows.labels[39] = -7;
    RecordMemory device(20, 10), oracle(20, 10);
    record_emulated(rows.batch(), device.state());
    for (int64_t i = 0; i < rows.rows; ++i) {
        if (i == 3 || i == 4 || i == 17 || i == 5 || i == 39) continue;
        const uint8_t* row = rows.memory.data() + i * rows.stride * 4;
        record_presentations({{row, DType::float32, 1, 10, rows.stride}, &rows.labels[size_t(i)], &rows.ids[size_t(i)]},
                             oracle.state(), 1);
    }
    CHECK(device == oracle);
}

void test_without_logits_and_without_rows() {
    const RecordRows rows(DType::float16, 20, 10, 8, 2);
    RecordMemory device(8, 10), oracle(8, 10);
    RecordState state = device.state();
    state.logits = nullptr;
    record_emulated(rows.batch(), state);
    state = oracle.state();
    state.logits = nullptr;
    record_presentations(rows.batch(), state, 1);
    CHECK(device == oracle);
    record_presentations_cuda({{nullptr, DType::float32, 0, 10, 10}, nullptr, nullptr}, state, nullptr, nullptr);
}

}  // namespace

int main() {
    test_bits();
    test_bad_rows_are_left_out();
    test_without_logits_and_without_rows();
    std::puts("record on the emulated device: ok");
}
#endif
