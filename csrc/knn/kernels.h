// knn/kernels.h: the inner loops of the CPU search, one table of them per instruction set.
#pragma once

#include <cstdint>

#include "runtime/simd.h"

namespace rote {

/// A pair of a tile whose upper bound reached the query's threshold.
struct TileHit {
    int32_t row;     // query within the panel
    int32_t column;  // reference within the panel
    float upper;
};

/// One query panel against one reference panel (docs/knn-bound.md names the quantities).
struct TileOperands {
    const float* queries;     // [dim][query_rows]
    const float* references;  // [dim][panel_columns]
    int64_t dim;
    const float* slack;      // [query_rows]: alpha_q, the bound per unit of reference norm
    const float* threshold;  // [query_rows]: keep pairs whose upper bound reaches it
    const float* norm;       // [panel_columns]: n_j
    const float* bias;       // [panel_columns]: -|c|^2/2 and its own error bound; -inf for places without a reference
};

constexpr int kMaxTileHits = 512;

/// A term of a scalar product goes through at most this many roundings of one partial sum, then through one rounding
/// per block of as many elements.
constexpr int64_t kSumBlock = 512;

struct KnnKernels {
    const char* name;
    int query_rows;
    int panel_columns;
    bool fused;  // one rounding per product and addition

    /// Scalar products of a tile plus slack * norm + bias; hits are the pairs not below the threshold.
    int (*scan_tile)(const TileOperands& operands, TileHit* hits);

    /// Sums of the key, by metric.h's lanes and tree; the query is already float64.
    double (*squared_f32)(const double* query, const float* reference, int64_t dim);
    double (*squared_f64)(const double* query, const double* reference, int64_t dim);
    double (*product_f32)(const double* query, const float* reference, int64_t dim);
    double (*product_f64)(const double* query, const double* reference, int64_t dim);

    /// out = fl((row - centre) * scale); returns the sum of out^2. `scale` is a power of two.
    double (*centre_f32)(const float* row, const float* centre, float scale, int64_t count, float* out);
    /// out = fl32((row * factor - centre) * scale), the inside in float64; returns the sum of out^2.
    double (*normalize_f32)(const float* row, double factor, const double* centre, double scale, int64_t count,
                            float* out);
    double (*normalize_f64)(const double* row, double factor, const double* centre, double scale, int64_t count,
                            float* out);

    void (*half_to_float)(const uint16_t* in, int64_t count, float* out);
    void (*bfloat16_to_float)(const uint16_t* in, int64_t count, float* out);

    /// rows [panel_columns][row_stride] -> panel [count][panel_columns]; count is a multiple of 4 or the panel's last.
    void (*interleave)(const float* rows, int64_t row_stride, int64_t count, float* panel);
};

const KnnKernels& knn_kernels_baseline();
#if defined(ROTE_X86)
const KnnKernels& knn_kernels_avx2();
const KnnKernels& knn_kernels_avx512();
#endif

const KnnKernels& knn_kernels(SimdLevel level);

}  // namespace rote
