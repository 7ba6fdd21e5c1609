// knn/cuda/dispatch.cu: which kernels answer a search on the device.
#include "knn/cuda/certified.cuh"
#include "knn/cuda/paths.h"

namespace rote {
namespace {

constexpr int64_t kLargestK = 4096;                                           // beyond it buffers are too large to pay
constexpr int64_t kMostReferences = (int64_t(1) << 31) - (int64_t(1) << 20);  // positions are 32-bit

// Larger searches are scanned exactly on every path.
bool certified_applies(PassLaunch pass, int64_t references, int64_t k) {
    return pass && k <= kLargestK && references <= kMostReferences;
}

__global__ void count_exact_rows_kernel(int64_t* stats, int64_t rows) {
    stats[int(KnnDeviceStat::rows_float64)] += rows;
}

}  // namespace

PassLaunch pass_of(const std::string& path) {
    if (path == "auto" || path == "simple") return nullptr;
    if (path == "sm80") return launch_pass_sm80;
    ROTE_CHECK_ARG(path == "sm90", "ROTE_KNN_PATH: wanted auto, simple, sm80 or sm90, got '", path, "'");
    return launch_pass_sm90;
}

void check_pass(PassLaunch pass) {
    const char* const reason = pass == launch_pass_sm90 ? why_no_pass_sm90() : nullptr;
    if (reason) throw DeviceError(concat("ROTE_KNN_PATH=sm90: ", reason));
}

int64_t knn_workspace_bytes(int64_t num_queries, int64_t num_references, int64_t dim, int64_t k,
                            const std::string& path) {
    const PassLaunch pass = pass_of(path);
    if (num_queries == 0) return 0;
    if (!certified_applies(pass, num_references, k)) return exact_scan_bytes(num_queries, k);
    return certified_search_bytes(HalfPlan::of(num_queries, num_references, dim, k));
}

void knn_search_cuda(const KnnProblem& problem, void* workspace, void* stream, const std::string& path,
                     int64_t* stats) {
    check_knn_problem(problem);
    const PassLaunch pass = pass_of(path);
    check_pass(pass);
    const int64_t queries = problem.queries.rows, references = problem.references.rows;
    if (queries == 0) return;
    const cudaStream_t on = static_cast<cudaStream_t>(stream);
    if (certified_applies(pass, references, problem.k)) {
        const HalfPlan plan = HalfPlan::of(queries, references, problem.queries.columns, problem.k);
        return certified_search(problem, plan, workspace, stats, on, pass);
    }
    launch_exact_scan(problem, {}, workspace, on);
    if (stats) launch(count_exact_rows_kernel, 1, 1, 0, on, stats, queries);
}

}  // namespace rote
