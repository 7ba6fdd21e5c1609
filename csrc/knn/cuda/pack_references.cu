// knn/cuda/pack_references.cu: references in the order of the pass: a scattered part, then sorted by frame and length,
// so that a block holds similar rows; and each block in fp16 about its frame's centre, with what its bound needs.
#include "knn/cuda/certified.cuh"

namespace rote {
namespace {

constexpr int kRowsPerWarp = kBlockReferences / kRowWarps;
constexpr int kSumThreads = 1024;
constexpr int kBinsPerThread = (kSortBins + kSumThreads - 1) / kSumThreads;
constexpr int kLengthOne = 32;  // the bin of rows whose distance from their frame is in [1, sqrt(2))

__device__ int length_bin(float squares) {
    const int bin = int(float_bits(squares) >> 23) - 127 + kLengthOne;
    return bin < 0 ? 0 : bin >= kLengthBins ? kLengthBins - 1 : bin;
}

__device__ int64_t scattered_position(const HalfSearch& search, int64_t row, int64_t total) {
    return row * search.multiplier % total;
}

// Where the reference of a rank among the sorted ones is stored: blocks stay whole, their order is scattered too.
__device__ int64_t stored_position(const HalfSearch& search, int64_t rank) {
    const int64_t mixed = search.mixed_blocks, block = rank / kBlockReferences;
    if (block < mixed) return rank;
    const int64_t stored = mixed + (block - mixed) * search.stride % (search.block_count - mixed);
    return stored * kBlockReferences + rank % kBlockReferences;
}

// One warp per reference: is it finite and bounded, which frame is nearest, how far.
template <class T>
__global__ void __launch_bounds__(kRowThreads, kRowBlocks)
    measure_kernel(const KnnProblem problem, const HalfSearch search) {
    const int lane = threadIdx.x % kWarpLanes;
    const int64_t row = int64_t(blockIdx.x) * kRowWarps + threadIdx.x / kWarpLanes, dim = problem.references.columns;
    if (row >= problem.references.rows) return;
    const T* const values = problem.references.row<T>(row);
    const double scale = search.placing->scale;
    double squares = 0;
    bool usable = true;
    for (int64_t i = lane; i < dim; i += kWarpLanes) {
        const double value = to_double(values[i]);
        usable = usable && is_finite(value);
        squares += value * value;
    }
    squares = warp_sum(squares);
    usable = __all_sync(kWarp, usable) && !(problem.mask && !problem.mask[row]);
    double factor = 1;
    bool bounded = true;
    if (problem.metric == KnnMetric::cosine) factor = unit_factor(squares, bounded);

    double placed_squares = 0;
    float distances[kMostFrames];
#pragma unroll
    for (int f = 0; f < kMostFrames; ++f) distances[f] = 0;
    for (int64_t i = lane; i < dim; i += kWarpLanes) {
        const double value = placed(to_double(values[i]), factor, search.centre[i], scale);
        const float narrow = float(value);
        placed_squares += value * value;
#pragma unroll
        for (int f = 0; f < kMostFrames; ++f) {
            if (f < search.frame_count) {
                const float difference = narrow - search.frames[f * dim + i];
                distances[f] = fmaf(difference, difference, distances[f]);
            }
        }
    }
    const double norm = sqrt(warp_sum(placed_squares)) * kNormUp;
    bounded = bounded && norm <= kLargestPlaced;
    int nearest = 0;
    float least = INFINITY;
#pragma unroll
    for (int f = 0; f < kMostFrames; ++f) {
        if (f < search.frame_count) {
            const float distance = warp_sum(distances[f]);
            if (distance < least) {
                least = distance;
                nearest = f;
            }
        }
    }
    if (lane > 0) return;
    search.factors[row] = factor;
    const bool mixed = scattered_position(search, row, problem.references.rows) < search.mixed_rows;
    int key = nearest * kLengthBins + length_bin(least);
    if (!usable || !bounded) key = kNoBin;
    if (usable && !bounded) {
        const int slot = atomicAdd(search.unbounded_count, 1);
        if (slot < kMostUnbounded) search.unbounded[slot] = int32_t(row);
    }
    search.sort_keys[row] = key;
    if (!mixed) atomicAdd(search.bins + key, 1);
}

// Counts become the place of each bin's first row: an exclusive sum. One block.
__global__ void __launch_bounds__(kSumThreads) scan_bins_kernel(const HalfSearch search) {
    __shared__ int sums[kSumThreads];
    const int own = int(threadIdx.x), begin = own * kBinsPerThread;
    int counts[kBinsPerThread], total = 0;
#pragma unroll
    for (int i = 0; i < kBinsPerThread; ++i) {
        counts[i] = begin + i < kSortBins ? search.bins[begin + i] : 0;
        total += counts[i];
    }
    sums[own] = total;
    __syncthreads();
    for (int step = 1; step < kSumThreads; step *= 2) {
        const int before = own >= step ? sums[own - step] : 0;
        __syncthreads();
        sums[own] += before;
        __syncthreads();
    }
    int place = sums[own] - total;
#pragma unroll
    for (int i = 0; i < kBinsPerThread; ++i) {
        if (begin + i < kSortBins) search.bins[begin + i] = place;
        place += counts[i];
    }
}

// One thread per position: a row finds its place, positions behind the last row hold none.
__global__ void __launch_bounds__(kRowThreads, kRowBlocks) place_kernel(const HalfSearch search, int64_t total) {
    const int64_t row = int64_t(blockIdx.x) * kRowThreads + threadIdx.x;
    if (row >= int64_t(search.block_count) * kBlockReferences) return;
    if (row >= total) {
        search.order[stored_position(search, row)] = -1;
        return;
    }
    const int key = search.sort_keys[row];
    int64_t position = scattered_position(search, row, total);
    if (position >= search.mixed_rows)
        position = stored_position(search, search.mixed_rows + atomicAdd(search.bins + key, 1));
    search.order[position] = key == kNoBin ? -1 : int32_t(row);
}

// One block of threads per block of references.
template <class T>
__global__ void __launch_bounds__(kRowThreads, kRowBlocks)
    pack_references_kernel(const KnnProblem problem, const HalfSearch search) {
    __shared__ double largest_of_warp[kRowWarps];
    __shared__ RowTerms terms_of_warp[kRowWarps];
    const int lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    const int64_t dim = problem.references.columns, first = int64_t(blockIdx.x) * kBlockReferences;
    const int32_t* const order = search.order + first;
    const int32_t leader = order[0];
    const bool sorted = int(blockIdx.x) >= search.mixed_blocks && leader >= 0;
    const int32_t frame = sorted ? search.sort_keys[leader] / kLengthBins : 0;
    const float* const centre = search.frames + frame * dim;
    const double placing_scale = search.placing->scale;

    double largest = 0;
    for (int r = warp * kRowsPerWarp; r < (warp + 1) * kRowsPerWarp; ++r) {
        const int32_t row = order[r];
        if (row < 0) continue;
        const T* const values = problem.references.row<T>(row);
        const double factor = search.factors[row];
        for (int64_t i = lane; i < dim; i += kWarpLanes) {
            const double offset =
                fabs(placed(to_double(values[i]), factor, search.centre[i], placing_scale) - double(centre[i]));
            largest = offset > largest ? offset : largest;
        }
    }
    largest = warp_max(largest);
    if (lane == 0) largest_of_warp[warp] = largest;
    __syncthreads();
    for (int w = 0; w < kRowWarps; ++w) largest = largest_of_warp[w] > largest ? largest_of_warp[w] : largest;
    const float scale = packed_scale(largest);

    RowTerms terms;
    const double frame_norm = search.frame_norms[frame];
    for (int r = warp * kRowsPerWarp; r < (warp + 1) * kRowsPerWarp; ++r) {
        const int32_t row = order[r];
        uint16_t* const out = search.packed_references + (first + r) * search.depth;
        if (row < 0) {
            for (int64_t i = lane; i < search.depth; i += kWarpLanes) out[i] = 0;
            if (lane == 0) search.biases[first + r] = -INFINITY;
            continue;
        }
        const T* const values = problem.references.row<T>(row);
        const double factor = search.factors[row];
        PackedSums sums;
        for (int64_t i = lane; i < search.depth; i += kWarpLanes) {
            uint16_t bits = 0;
            if (i < dim) {
                const double value = placed(to_double(values[i]), factor, search.centre[i], placing_scale);
                bits = sums.add(value, double(centre[i]), double(scale)).bits;
            }
            out[i] = bits;
        }
        sums.placed_squares = warp_sum(sums.placed_squares);
        sums.packed_squares = warp_sum(sums.packed_squares);
        sums.residual_squares = warp_sum(sums.residual_squares);
        sums.centre_product = warp_sum(sums.centre_product);
        sums.offset_squares = warp_sum(sums.offset_squares);
        const double bias = reference_bias(problem.metric, sums, factor, *search.placing);
        terms.widen(row_terms(sums, bias, double(scale), frame_norm));
        if (lane == 0) search.biases[first + r] = float(bias * double(scale));
    }
    if (lane == 0) terms_of_warp[warp] = terms;
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (int w = 1; w < kRowWarps; ++w) terms.widen(terms_of_warp[w]);
    search.blocks[blockIdx.x] = block_terms(problem.metric, dim, terms, scale, frame);
}

}  // namespace

void launch_pack_references(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream) {
    const int64_t total = problem.references.rows, blocks = search.block_count;
    visit_float_dtype(problem.references.dtype, [&](auto element) {
        using T = decltype(element);
        launch(measure_kernel<T>, (total + kRowWarps - 1) / kRowWarps, kRowThreads, 0, stream, problem, search);
        launch(scan_bins_kernel, 1, kSumThreads, 0, stream, search);
        launch(place_kernel, blocks * kBlockReferences / kRowThreads, kRowThreads, 0, stream, search, total);
        launch(pack_references_kernel<T>, blocks, kRowThreads, 0, stream, problem, search);
    });
}

}  // namespace rote
