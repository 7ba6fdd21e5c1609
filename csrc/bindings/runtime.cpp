// bindings/runtime.cpp: errors, build information, SIMD levels and measured peaks.
#include <pybind11/stl.h>

#include "bindings/register.h"
#include "rote/error.h"
#include "runtime/build_info.h"
#include "runtime/peak.h"
#include "runtime/simd.h"

namespace py = pybind11;

namespace rote {

void register_runtime(py::module_& module) {
    py::register_exception_translator([](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const ArgumentError& error) {
            PyErr_SetString(PyExc_ValueError, error.what());
        } catch (const DeviceError& error) {
            PyErr_SetString(PyExc_RuntimeError, error.what());
        }
    });
    module.def("build_info", [] {
        const BuildInfo info = build_info();
        py::dict result;
        result["version"] = info.version;
        result["compiler"] = info.compiler;
        result["cuda"] = info.cuda;
        result["cuda_version"] = info.cuda_version;
        return result;
    });
    module.def("simd_level", [] { return simd_level_name(simd_level()); });
    module.def("detected_simd_level", [] { return simd_level_name(detected_simd_level()); });
    module.def("compiled_simd_levels", [] {
        py::list names;
        for (SimdLevel level : compiled_simd_levels()) names.append(simd_level_name(level));
        return names;
    });
    module.def(
        "peak_kinds", [](const std::string& level) { return peak_kinds(resolve_simd_level(level)); },
        py::arg("level") = "auto");
    module.def(
        "measure_peak",
        [](const std::string& kind, int num_threads, const std::string& level) {
            py::gil_scoped_release release;
            return measure_peak(kind, num_threads, resolve_simd_level(level));
        },
        py::arg("kind"), py::arg("num_threads"), py::arg("level") = "auto");
}

}  // namespace rote
