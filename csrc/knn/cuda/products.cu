// knn/cuda/products.cu: the bare products of a matrix pass, so that the bound on its sums can be measured on a device.
#include <cfloat>

#include "knn/cuda/launch.cuh"
#include "knn/cuda/pass.cuh"
#include "knn/cuda/paths.h"

namespace rote {
namespace {

static_assert(kBlockReferences >= kTileQueries, "one thread per reference prepares the queries too");

/// One tile of queries and one block of references; every pair is let through.
struct ProductTile {
    QueryTerms query_terms[kTileQueries];
    float thresholds[kTileQueries], bases[kTileQueries];
    int32_t counts[kTileQueries];
    BlockTerms block;
    alignas(16) float biases[kBlockReferences];  // copied in bulk on sm_90
    int32_t order[kBlockReferences];
    PassCandidate candidates[kTileQueries * kBlockReferences];
};

__global__ void prepare_kernel(ProductTile* tile) {
    const int own = int(threadIdx.x);
    if (own < kTileQueries) {
        tile->query_terms[own] = {1, 0, 0, 0, 0};
        tile->thresholds[own] = -FLT_MAX;
        tile->bases[own] = 0;
        tile->counts[own] = 0;
    }
    tile->biases[own] = 0;
    tile->order[own] = own;
    if (own == 0) tile->block = {1, 0, 0, 0, 0, 0};
}

__global__ void unpack_kernel(const ProductTile* tile, float* products) {
    const int row = int(blockIdx.x), own = int(threadIdx.x);
    if (own >= tile->counts[row]) return;
    const PassCandidate candidate = tile->candidates[row * kBlockReferences + own];
    products[row * kBlockReferences + candidate.position] = candidate.score;
}

}  // namespace

int64_t knn_products_workspace_bytes() {
    return int64_t(sizeof(ProductTile));
}

void knn_products(const uint16_t* queries, const uint16_t* references, int64_t depth, float* products, void* workspace,
                  void* stream, const std::string& path) {
    ROTE_CHECK_ARG(depth > 0 && depth % kDepthStep == 0, "depth: wanted a multiple of ", kDepthStep, ", got ", depth);
    const PassLaunch launch_pass = pass_of(path);
    ROTE_CHECK_ARG(launch_pass, "path: wanted sm80 or sm90, got '", path, "'");
    check_pass(launch_pass);
    const cudaStream_t on = static_cast<cudaStream_t>(stream);
    auto* const tile = static_cast<ProductTile*>(workspace);
    launch(prepare_kernel, 1, kBlockReferences, 0, on, tile);
    PassOperands pass{};
    pass.queries = queries;
    pass.references = references;
    pass.depth = depth;
    pass.query_tiles = 1;
    pass.last_block = 1;
    pass.query_terms = tile->query_terms;
    pass.thresholds = tile->thresholds;
    pass.bases = tile->bases;
    pass.frames = 1;
    pass.block_terms = &tile->block;
    pass.biases = tile->biases;
    pass.order = tile->order;
    pass.candidates = tile->candidates;
    pass.counts = tile->counts;
    pass.capacity = kBlockReferences;
    launch_pass(pass, on);
    launch(unpack_kernel, kTileQueries, kBlockReferences, 0, on, static_cast<const ProductTile*>(tile), products);
}

double knn_accumulation_bound(int64_t depth) {
    return accumulation_bound(depth);
}

}  // namespace rote
