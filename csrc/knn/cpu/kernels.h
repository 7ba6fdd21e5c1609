// knn/cpu/kernels.h: the inner loops of the CPU search, one table of them per instruction set.
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

/// float32 sums over one pair of rows as they lie in memory.
struct DirectSums {
    float sum;      // (q-r)^2 or q*r
    float squares;  // r*r, of products alone
};

/// Query rows, where they lie, against one panel of references in 16 bit.
struct Int16Tile {
    const int16_t* const* rows;  // [int16_rows]
    const int16_t* panel;        // [pairs][panel_columns][2]
    int64_t pairs;
    const float* unit;       // [int16_rows]: what biases are multiplied by, a power of two
    const float* threshold;  // [int16_rows]
    const float* bias;       // [panel_columns]; -inf for places without a reference
    // Of a self-join, where a pair serves its column too: row_unit * column_threshold - row_offset is a second
    // threshold.
    const float* row_unit = nullptr;          // [int16_rows]
    const float* row_offset = nullptr;        // [int16_rows]
    const float* column_threshold = nullptr;  // [panel_columns]
};

struct KnnKernels {
    const char* name;
    int query_rows;
    int panel_columns;
    bool fused;  // one rounding per product and addition
    int int16_rows;

    /// Exact integer products, then value = fl(product) + unit * bias; hits are the pairs not below the threshold,
    /// `upper` is the value.
    int (*scan_int16)(const Int16Tile& tile, TileHit* hits);
    /// The same, and hits are also the pairs not below the second threshold.
    int (*scan_int16_both)(const Int16Tile& tile, TileHit* hits);
    /// out = rint(row * scale), all inside int16; returns a bound of the sum of squared residuals.
    double (*quantize)(const float* row, float scale, int64_t count, int16_t* out);

    /// Scalar products of a tile plus slack * norm + bias; hits are the pairs not below the threshold.
    int (*scan_tile)(const TileOperands& operands, TileHit* hits);

    DirectSums (*direct_squared)(const float* query, const float* reference, int64_t dim);
    DirectSums (*direct_product)(const float* query, const float* reference, int64_t dim);

    /// Sums of the key, by metric.h's lanes and tree; the query is already float64.
    double (*squared_f32)(const double* query, const float* reference, int64_t dim);
    double (*squared_f64)(const double* query, const double* reference, int64_t dim);
    double (*product_f32)(const double* query, const float* reference, int64_t dim);
    double (*product_f64)(const double* query, const double* reference, int64_t dim);
    /// The sum of squares in float64, in any order.
    double (*squares_f32)(const float* row, int64_t dim);
    double (*squares_f64)(const double* row, int64_t dim);

    /// out = fl((row - centre) * scale); returns the sum of out^2. `scale` is a power of two.
    double (*centre_f32)(const float* row, const float* centre, float scale, int64_t count, float* out);
    /// out = fl32((row * factor - centre) * scale), the inside in float64; returns the sum of out^2.
    double (*normalize_f32)(const float* row, double factor, const double* centre, double scale, int64_t count,
                            float* out);
    double (*normalize_f64)(const double* row, double factor, const double* centre, double scale, int64_t count,
                            float* out);

    void (*half_to_float)(const uint16_t* in, int64_t count, float* out);
    void (*bfloat16_to_float)(const uint16_t* in, int64_t count, float* out);

    /// 32-bit words: rows [panel_columns][row_stride] -> panel [count][panel_columns].
    void (*interleave)(const void* rows, int64_t row_stride, int64_t count, void* panel);
};

const KnnKernels& knn_kernels_baseline();
#if defined(ROTE_X86)
const KnnKernels& knn_kernels_avx2();
const KnnKernels& knn_kernels_avx512();
const KnnKernels& knn_kernels_avx512vnni();
#endif

const KnnKernels& knn_kernels(SimdLevel level);

}  // namespace rote
