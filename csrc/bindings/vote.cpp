// bindings/vote.cpp: the vote of a search. Tensors are integers here; rote/ops/vote.py checks them.
#include <pybind11/stl.h>

#include <utility>
#include <vector>

#include "bindings/register.h"
#include "rote/knn.h"

namespace py = pybind11;

namespace rote {
namespace {

/// A vote that owns its numbers of neighbours.
struct Vote {
    Vote(uintptr_t labels, int64_t num_classes, int weights, double temperature, std::vector<int64_t> sizes,
         uintptr_t scores, uintptr_t winners, int64_t num_queries)
        : ks(std::move(sizes)) {
        problem.labels = pointer<const int64_t>(labels);
        problem.num_classes = num_classes;
        problem.weights = VoteWeights(weights);
        problem.temperature = temperature;
        problem.ks = ks.data();
        problem.num_ks = int64_t(ks.size());
        problem.scores = pointer<double>(scores);
        problem.winners = pointer<int64_t>(winners);
        problem.num_queries = num_queries;
    }
    Vote(const Vote&) = delete;
    Vote& operator=(const Vote&) = delete;

    std::vector<int64_t> ks;
    VoteProblem problem;
};

KnnProblem with_vote(KnnProblem problem, const Vote& vote) {
    problem.vote = &vote.problem;
    return problem;
}

}  // namespace

void register_vote(py::module_& module) {
    py::class_<Vote>(module, "KnnVote", "The vote of a search; pointers as integers, 0 for an absent output.")
        .def(py::init<uintptr_t, int64_t, int, double, std::vector<int64_t>, uintptr_t, uintptr_t, int64_t>(),
             py::arg("labels"), py::arg("num_classes"), py::arg("weights"), py::arg("temperature"), py::arg("ks"),
             py::arg("scores"), py::arg("winners"), py::arg("num_queries"));
    module.def(
        "knn_vote",
        [](const KnnProblem& problem, const Vote& vote, int num_threads, const std::string& level,
           const std::string& path, const KnnIndex* index) {
            knn_vote_cpu(with_vote(problem, vote),
                         {num_threads, resolve_simd_level(level), parse_knn_path(path), true, index});
        },
        py::arg("problem"), py::arg("vote"), py::arg("num_threads"), py::arg("level") = "auto",
        py::arg("path") = "auto", py::arg("index") = nullptr, py::call_guard<py::gil_scoped_release>());
    module.def(
        "knn_vote_reference",
        [](const KnnProblem& problem, const Vote& vote) { knn_vote_reference(with_vote(problem, vote)); },
        py::arg("problem"), py::arg("vote"), py::call_guard<py::gil_scoped_release>());
    module.def("knn_vote_workspace_bytes", &knn_vote_workspace_bytes, py::arg("num_queries"), py::arg("num_references"),
               py::arg("dim"), py::arg("k"), py::arg("num_classes"), py::arg("with_scores"), py::arg("path"));
    module.def(
        "knn_vote_cuda",
        [](const KnnProblem& problem, const Vote& vote, uintptr_t workspace, uintptr_t stream,
           const std::string& path) {
            knn_vote_cuda(with_vote(problem, vote), pointer<void>(workspace), pointer<void>(stream), path);
        },
        py::arg("problem"), py::arg("vote"), py::arg("workspace"), py::arg("stream"), py::arg("path"),
        py::call_guard<py::gil_scoped_release>());
}

}  // namespace rote
