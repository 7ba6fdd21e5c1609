// rote/knn.h: exact k nearest neighbours, ordered by (distance, index), the same bits from every executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "rote/tensor.h"
#include "runtime/simd.h"

namespace rote {

/// Values are part of the binding contract (python/rote/ops/knn.py).
enum class KnnMetric : int32_t { l2 = 0, sqeuclidean = 1, cosine = 2, ip = 3 };

/// How much a neighbour's vote counts. Values are part of the binding contract (python/rote/ops/vote.py).
enum class VoteWeights : int32_t { uniform = 0, distance = 1, softmax = 2 };

/// The vote of the neighbours over classes: a float64 sum of weights per class, added up in the order of the neighbours
/// (knn/vote.h says what a weight is). One search at the largest k serves every k.
struct VoteProblem {
    const int64_t* labels = nullptr;  // [N], in [0, num_classes); others are an error on the CPU, do not vote on CUDA
    int64_t num_classes = 1;
    VoteWeights weights = VoteWeights::uniform;
    double temperature = 1;       // of softmax
    const int64_t* ks = nullptr;  // [num_ks] in host memory, increasing, in [1, k of the search]
    int64_t num_ks = 0;
    // Outputs of Q = num_queries rows, contiguous; a null pointer is not written.
    double* scores = nullptr;    // [num_ks, Q, num_classes]
    int64_t* winners = nullptr;  // [num_ks, Q]: most votes, the smaller class of a tie; -1 where nobody's vote counts
    int64_t num_queries = 0;
    const int64_t* rows = nullptr;  // a search of some of the queries: the output row of each; null where it is its own
};

/// One search. Queries and references share dtype and width. Null pointers of the optional inputs mean "absent".
/// A reference is admissible for a query when all its elements are finite, it is not the query's `exclude`, its group
/// differs from the query's, and `mask` admits it.
struct KnnProblem {
    MatrixView queries;     // [Q, d]
    MatrixView references;  // [N, d]
    int64_t k = 1;          // 1 <= k <= N
    KnnMetric metric = KnnMetric::l2;
    const int64_t* exclude = nullptr;           // [Q], one reference a query never gets; -1 excludes nothing
    const int64_t* query_groups = nullptr;      // [Q], together with reference_groups
    const int64_t* reference_groups = nullptr;  // [N]
    const uint8_t* mask = nullptr;              // [N], non-zero admits
    // Outputs [Q, k], contiguous; a null pointer is not written.
    float* distances = nullptr;
    int64_t* indices = nullptr;
    double* keys = nullptr;  // what results are ordered and merged by (metric.h): inf in the tail, NaN for no query
    const VoteProblem* vote = nullptr;  // on the CPU: neighbours vote as they are written; knn_search_cuda ignores it
};

/// Which pass over all pairs a CPU search starts with. Results do not depend on it.
enum class KnnPath : int32_t {
    automatic = 0,
    int16 = 1,    // certified, 16 bit; rows it cannot settle cheaply go to float32
    float32 = 2,  // certified, float32; pairs it cannot separate get their keys
    float64 = 3   // every key
};

struct KnnOptions {
    int num_threads = 1;
    SimdLevel level = SimdLevel::baseline;
    KnnPath path = KnnPath::automatic;
    /// Without it, rows that the 16-bit pass does not settle come back as -1 and NaN, counted as uncertified.
    bool fallback = true;
    /// Of the problem's references and metric, or null. An index of another instruction set is not used.
    const class KnnIndex* index = nullptr;
};

/// What one CPU search did.
struct KnnStats {
    int64_t rows_int16 = 0;         // query rows settled by the 16-bit pass and a rerank of its candidates
    int64_t rows_float32 = 0;       // by the float32 pass
    int64_t rows_float64 = 0;       // by all keys
    int64_t uncertified_rows = 0;   // not settled, for want of a fallback
    int64_t scored_pairs = 0;       // pairs that a low-precision pass looked at; the others were skipped as groups
    int64_t exact_keys = 0;         // float64 keys computed, of all Q * N pairs
    int64_t compactions = 0;        // buffers that filled up and were thinned by their bounds
    int64_t exact_compactions = 0;  // those whose bounds did not separate enough: thinned by exact keys
    const char* executor = "";      // the kernels that ran
};

/// "auto", "int16", "float32" or "float64"; ArgumentError for anything else.
KnnPath parse_knn_path(const std::string& name);

/// Shapes, dtypes and k; ArgumentError names what is wrong.
void check_knn_problem(const KnnProblem& problem);

/// The readable oracle: every key, sorted.
void knn_search_reference(const KnnProblem& problem);

/// References packed ahead of the searches on the CPU. The matrix must stay as it is: results come from it.
class KnnIndex {
  public:
    KnnIndex(const MatrixView& references, KnnMetric metric, int num_threads, SimdLevel level);
    ~KnnIndex();

    /// Memory of the packed rows.
    int64_t bytes() const;

    struct Packed;
    const Packed& packed() const { return *packed_; }

  private:
    std::unique_ptr<Packed> packed_;
};

/// The certified search on the CPU.
KnnStats knn_search_cpu(const KnnProblem& problem, const KnnOptions& options);

/// What one search on the device did: positions in an int64 array that the kernels add to (rote/ops/knn.py).
enum class KnnDeviceStat : int32_t {
    rows_float16 = 0,          // rows settled by the fp16 pass and the keys of its candidates
    rows_float64 = 1,          // rows scanned exactly, for whatever reason
    overflowed_rows = 2,       // those of them that had more candidates than room
    exact_keys = 3,            // float64 keys of candidates; an exact scan computes all of its row's beside them
    compactions = 4,           // buffers thinned by their bounds, one per row and slice
    exact_compactions = 5,     // those whose bounds did not separate enough: thinned by keys
    unbounded_references = 6,  // outside the range of the bound: candidates of every row
    count = 7,
};

/// Bytes of device workspace for knn_search_cuda; a pure function of the shapes and the path.
int64_t knn_workspace_bytes(int64_t num_queries, int64_t num_references, int64_t dim, int64_t k,
                            const std::string& path);

/// The search on the current device, on `stream`: no allocation, no synchronization. All pointers are device pointers.
/// `path` is "simple", "sm80", "sm90" or "auto" (simple, until the others have been verified); ArgumentError otherwise.
/// `stats` is null or int64 [KnnDeviceStat::count], added to. DeviceError in a build without CUDA.
void knn_search_cuda(const KnnProblem& problem, void* workspace, void* stream, const std::string& path,
                     int64_t* stats = nullptr);

/// The search with its vote (`problem.vote`), on the CPU. Checks every label.
KnnStats knn_vote_cpu(const KnnProblem& problem, const KnnOptions& options);

/// The same by knn_search_reference.
void knn_vote_reference(const KnnProblem& problem);

/// Bytes of device workspace for knn_vote_cuda; a pure function of the shapes and the path.
int64_t knn_vote_workspace_bytes(int64_t num_queries, int64_t num_references, int64_t dim, int64_t k,
                                 int64_t num_classes, bool with_scores, const std::string& path);

/// The search with its vote on the current device, as knn_search_cuda. Neighbours stand in the workspace, a block of
/// queries at a time; distances, indices and keys of the problem are not written.
void knn_vote_cuda(const KnnProblem& problem, void* workspace, void* stream, const std::string& path);

/// Measurements of a matrix pass: its sums of fp16 products, products[q][r] (float32 [128, 256]) of `queries` [128,
/// depth] and `references` [256, depth], 128-byte aligned, depth a multiple of 64; and what their error may be, over
/// |q||r|.
void knn_products(const uint16_t* queries, const uint16_t* references, int64_t depth, float* products, void* workspace,
                  void* stream, const std::string& path);
int64_t knn_products_workspace_bytes();
double knn_accumulation_bound(int64_t depth);

}  // namespace rote
