// knn/cuda_dispatch.cu: which kernels answer a search on the device.
#include <algorithm>

#include "knn/cuda_certified.cuh"

namespace rote {
namespace {

constexpr int64_t kLargestK = 4096;                                           // beyond it buffers are too large to pay
constexpr int64_t kMostReferences = (int64_t(1) << 31) - (int64_t(1) << 20);  // positions are 32-bit

enum class Path { simple, sm80, sm90 };

Path parse_path(const std::string& path) {
    if (path == "auto" || path == "simple") return Path::simple;  // until the others have been verified on a device
    if (path == "sm80") return Path::sm80;
    ROTE_CHECK_ARG(path == "sm90", "ROTE_KNN_PATH: wanted auto, simple, sm80 or sm90, got '", path, "'");
    return Path::sm90;
}

// Larger searches are scanned exactly on every path.
bool certified_applies(Path path, int64_t references, int64_t k) {
    return path != Path::simple && k <= kLargestK && references <= kMostReferences;
}

__global__ void count_exact_rows_kernel(int64_t* stats, int64_t rows) {
    stats[int(KnnDeviceStat::rows_float64)] += rows;
}

}  // namespace

int64_t knn_workspace_bytes(int64_t num_queries, int64_t num_references, int64_t dim, int64_t k,
                            const std::string& path) {
    if (num_queries == 0) return 0;
    return certified_applies(parse_path(path), num_references, k)
               ? certified_search_bytes(num_queries, num_references, dim, k)
               : exact_scan_bytes(num_queries, k);
}

void knn_search_cuda(const KnnProblem& problem, void* workspace, void* stream, const std::string& path,
                     int64_t* stats) {
    check_knn_problem(problem);
    const Path parsed = parse_path(path);
    if (problem.queries.rows == 0) return;
    const cudaStream_t on = static_cast<cudaStream_t>(stream);
    if (parsed == Path::sm90)
        if (const char* reason = why_no_pass_sm90()) throw DeviceError(concat("ROTE_KNN_PATH=sm90: ", reason));
    if (certified_applies(parsed, problem.references.rows, problem.k)) {
        certified_search(problem, workspace, stats, on, parsed == Path::sm80 ? launch_pass_sm80 : launch_pass_sm90);
        return;
    }
    launch_exact_scan(problem, {}, workspace, on);
    if (stats) launch(count_exact_rows_kernel, 1, 1, 0, on, stats, problem.queries.rows);
}

}  // namespace rote
