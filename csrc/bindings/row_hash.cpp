// bindings/row_hash.cpp: hashes of rows.
#include "rote/row_hash.h"
#include "bindings/register.h"

namespace py = pybind11;

namespace rote {

void register_row_hash(py::module_& module) {
    module.def(
        "row_hashes",
        [](uintptr_t rows, int64_t count, int64_t row_bytes, int64_t stride, uint64_t seed, uintptr_t out,
           int num_threads) {
            row_hashes(pointer<const void>(rows), count, row_bytes, stride, seed, pointer<uint64_t>(out), num_threads);
        },
        py::arg("rows"), py::arg("count"), py::arg("row_bytes"), py::arg("stride"), py::arg("seed"), py::arg("out"),
        py::arg("num_threads"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace rote
