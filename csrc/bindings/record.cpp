// bindings/record.cpp: presentations of examples. Tensors are integers here; rote/ops/record.py checks them.
#include "rote/record.h"

#include "bindings/register.h"

namespace py = pybind11;

namespace rote {
namespace {

RecordBatch batch_of(uintptr_t logits, int dtype, int64_t rows, int64_t columns, int64_t row_stride, uintptr_t labels,
                     uintptr_t ids) {
    RecordBatch batch;
    batch.logits = {pointer<const void>(logits), DType(dtype), rows, columns, row_stride};
    batch.labels = pointer<const int64_t>(labels);
    batch.ids = pointer<const int64_t>(ids);
    return batch;
}

RecordState state_of(int64_t num_examples, uintptr_t counts, uintptr_t sums, uintptr_t values, uintptr_t kept_logits,
                     uintptr_t chain) {
    RecordState state;
    state.num_examples = num_examples;
    state.counts = pointer<int32_t>(counts);
    state.sums = pointer<double>(sums);
    state.values = pointer<float>(values);
    state.logits = pointer<float>(kept_logits);
    state.chain = pointer<int32_t>(chain);
    return state;
}

}  // namespace

void register_record(py::module_& module) {
    py::class_<RecordBatch>(module, "RecordBatch", "Rows of logits with their labels and ids; pointers as integers.")
        .def(py::init(&batch_of), py::arg("logits"), py::arg("dtype"), py::arg("rows"), py::arg("columns"),
             py::arg("row_stride"), py::arg("labels"), py::arg("ids"));
    py::class_<RecordState>(module, "RecordState", "The states of examples; 0 for what is absent.")
        .def(py::init(&state_of), py::arg("num_examples"), py::arg("counts"), py::arg("sums"), py::arg("values"),
             py::arg("kept_logits"), py::arg("chain"));
    module.def(
        "record_presentations",
        [](const RecordBatch& batch, const RecordState& state, int num_threads, const std::string& level) {
            record_presentations(batch, state, num_threads, resolve_simd_level(level));
        },
        py::arg("batch"), py::arg("state"), py::arg("num_threads"), py::arg("level") = "auto",
        py::call_guard<py::gil_scoped_release>());
    module.def("record_workspace_bytes", &record_workspace_bytes, py::arg("rows"));
    module.def(
        "record_presentations_cuda",
        [](const RecordBatch& batch, const RecordState& state, uintptr_t workspace, uintptr_t stream) {
            record_presentations_cuda(batch, state, pointer<void>(workspace), pointer<void>(stream));
        },
        py::arg("batch"), py::arg("state"), py::arg("workspace"), py::arg("stream"),
        py::call_guard<py::gil_scoped_release>());
}

}  // namespace rote
