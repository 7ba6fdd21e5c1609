// bindings/knn.cpp: the k-NN engine. Tensors are integers here; rote/ops/knn.py checks them.
#include "rote/knn.h"

#include <pybind11/stl.h>

#include "bindings/register.h"

namespace py = pybind11;

namespace rote {
namespace {

KnnProblem make_problem(uintptr_t queries, int64_t num_queries, int64_t query_stride, uintptr_t references,
                        int64_t num_references, int64_t reference_stride, int64_t dim, int dtype, int64_t k, int metric,
                        uintptr_t exclude, uintptr_t query_groups, uintptr_t reference_groups, uintptr_t mask,
                        uintptr_t distances, uintptr_t indices, uintptr_t keys) {
    KnnProblem problem;
    problem.queries = {pointer<const void>(queries), DType(dtype), num_queries, dim, query_stride};
    problem.references = {pointer<const void>(references), DType(dtype), num_references, dim, reference_stride};
    problem.k = k;
    problem.metric = KnnMetric(metric);
    problem.exclude = pointer<const int64_t>(exclude);
    problem.query_groups = pointer<const int64_t>(query_groups);
    problem.reference_groups = pointer<const int64_t>(reference_groups);
    problem.mask = pointer<const uint8_t>(mask);
    problem.distances = pointer<float>(distances);
    problem.indices = pointer<int64_t>(indices);
    problem.keys = pointer<double>(keys);
    return problem;
}

}  // namespace

void register_knn(py::module_& module) {
    py::class_<KnnProblem>(module, "KnnProblem", "One search; pointers as integers, 0 for an absent input.")
        .def(py::init(&make_problem), py::arg("queries"), py::arg("num_queries"), py::arg("query_stride"),
             py::arg("references"), py::arg("num_references"), py::arg("reference_stride"), py::arg("dim"),
             py::arg("dtype"), py::arg("k"), py::arg("metric"), py::arg("exclude"), py::arg("query_groups"),
             py::arg("reference_groups"), py::arg("mask"), py::arg("distances"), py::arg("indices"),
             py::arg("keys") = 0);
    py::class_<KnnIndex>(module, "KnnIndex", "References packed for searches on the CPU; they must stay as they are.")
        .def(py::init([](uintptr_t references, int64_t rows, int64_t stride, int64_t dim, int dtype, int metric,
                         int num_threads, const std::string& level) {
                 py::gil_scoped_release release;
                 return std::make_unique<KnnIndex>(
                     MatrixView{pointer<const void>(references), DType(dtype), rows, dim, stride}, KnnMetric(metric),
                     num_threads, resolve_simd_level(level));
             }),
             py::arg("references"), py::arg("num_references"), py::arg("reference_stride"), py::arg("dim"),
             py::arg("dtype"), py::arg("metric"), py::arg("num_threads"), py::arg("level") = "auto")
        .def_property_readonly("bytes", &KnnIndex::bytes);
    module.def(
        "knn_search",
        [](const KnnProblem& problem, int num_threads, const std::string& level, const std::string& path, bool fallback,
           const KnnIndex* index) {
            KnnStats stats;
            {
                py::gil_scoped_release release;
                stats = knn_search_cpu(problem,
                                       {num_threads, resolve_simd_level(level), parse_knn_path(path), fallback, index});
            }
            py::dict result;
            result["rows_int16"] = stats.rows_int16;
            result["rows_float32"] = stats.rows_float32;
            result["rows_float64"] = stats.rows_float64;
            result["uncertified_rows"] = stats.uncertified_rows;
            result["scored_pairs"] = stats.scored_pairs;
            result["exact_keys"] = stats.exact_keys;
            result["compactions"] = stats.compactions;
            result["exact_compactions"] = stats.exact_compactions;
            result["executor"] = stats.executor;
            return result;
        },
        py::arg("problem"), py::arg("num_threads"), py::arg("level") = "auto", py::arg("path") = "auto",
        py::arg("fallback") = true, py::arg("index") = nullptr);
    module.def(
        "knn_search_reference", [](const KnnProblem& problem) { knn_search_reference(problem); }, py::arg("problem"),
        py::call_guard<py::gil_scoped_release>());
    module.def("knn_workspace_bytes", &knn_workspace_bytes, py::arg("num_queries"), py::arg("num_references"),
               py::arg("dim"), py::arg("k"), py::arg("path") = "auto");
    module.def(
        "knn_search_cuda",
        [](const KnnProblem& problem, uintptr_t workspace, uintptr_t stream, const std::string& path, uintptr_t stats) {
            knn_search_cuda(problem, pointer<void>(workspace), pointer<void>(stream), path, pointer<int64_t>(stats));
        },
        py::arg("problem"), py::arg("workspace"), py::arg("stream"), py::arg("path"), py::arg("stats") = 0,
        py::call_guard<py::gil_scoped_release>());
    module.def(
        "knn_products",
        [](uintptr_t queries, uintptr_t references, int64_t depth, uintptr_t products, uintptr_t workspace,
           uintptr_t stream, const std::string& path) {
            knn_products(pointer<const uint16_t>(queries), pointer<const uint16_t>(references), depth,
                         pointer<float>(products), pointer<void>(workspace), pointer<void>(stream), path);
        },
        py::arg("queries"), py::arg("references"), py::arg("depth"), py::arg("products"), py::arg("workspace"),
        py::arg("stream"), py::arg("path"), py::call_guard<py::gil_scoped_release>());
    module.def("knn_products_workspace_bytes", &knn_products_workspace_bytes);
    module.def("knn_accumulation_bound", &knn_accumulation_bound, py::arg("depth"));
}

}  // namespace rote
