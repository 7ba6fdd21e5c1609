// knn/cpu/int16_templates.h: the inner loops of the 16-bit pass. Products of pairs of int16 add up in int32 without
// rounding or overflow, because rows are scaled by their norm (int16_bound.h); `Level` names the instruction for it.
#pragma once

#include <cstdint>
#include <cstring>

#include "knn/cpu/kernels.h"
#include "knn/cpu/portable_vector.h"

namespace rote {

/// The products of a tile in terms of a Level's vectors; a Level may have its own. Sums live in registers until the
/// end.
template <class Level, class I, int Rows, int Vectors>
ROTE_INLINE void multiply_int16(const Int16Tile& tile, I (&total)[Rows][Vectors]) {
    constexpr int kShorts = int(sizeof(I) / sizeof(int16_t));
    I sum[Rows][Vectors];
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m)
#pragma GCC unroll 4
        for (int n = 0; n < Vectors; ++n) sum[m][n] = I{};
    const int16_t* rows[Rows];
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) rows[m] = tile.rows[m];
    const int16_t* panel = tile.panel;
    for (int64_t i = 0; i < 2 * tile.pairs; i += 2) {
        __builtin_prefetch(panel + Level::kPrefetch * Vectors * kShorts);
        I column[Vectors];
#pragma GCC unroll 4
        for (int n = 0; n < Vectors; ++n) column[n] = Level::load_pairs(panel + n * kShorts);
#pragma GCC unroll 16
        for (int m = 0; m < Rows; ++m) {
            const I row = Level::broadcast_pair(rows[m] + i);
#pragma GCC unroll 4
            for (int n = 0; n < Vectors; ++n) Level::add_products(sum[m][n], row, column[n]);
        }
        panel += Vectors * kShorts;
    }
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m)
#pragma GCC unroll 4
        for (int n = 0; n < Vectors; ++n) total[m][n] = sum[m][n];
    asm volatile("" : : "r"(&total[0][0]) : "memory");  // or the compiler stores every sum in every step
}

template <class Level>
struct Int16Templates {
    using V = typename Level::Vector;
    using F = typename V::F;
    using I = typename Level::Integers;
    static constexpr int kRows = Level::kInt16Rows;
    static constexpr int kVectors = Level::kPanelVectors;
    static constexpr int kColumns = kVectors * V::kLanes;
    static_assert(kRows * kColumns <= kMaxTileHits, "room for every pair of a tile");

    /// Whether value reaches the row's threshold or, of a self-join, the column's.
    template <bool Both>
    static ROTE_INLINE typename V::Mask reaches(const Int16Tile& tile, int m, int n, F value) {
        F threshold = V::broadcast(tile.threshold[m]);
        if (Both) {
            const F column = V::load(tile.column_threshold + n * V::kLanes);
            const F other = V::fma(V::broadcast(tile.row_unit[m]), column, V::broadcast(-tile.row_offset[m]));
            threshold = V::smaller(other, threshold);
        }
        return V::not_below(value, threshold);
    }

    template <bool Both>
    static int scan_tile(const Int16Tile& tile, TileHit* hits) {
        I sum[kRows][kVectors];
        Level::multiply(tile, sum);
        typename V::Mask any{};
        F bias[kVectors];
#pragma GCC unroll 4
        for (int n = 0; n < kVectors; ++n) bias[n] = V::load(tile.bias + n * V::kLanes);
#pragma GCC unroll 16
        for (int m = 0; m < kRows; ++m) {
            const F unit = V::broadcast(tile.unit[m]);
#pragma GCC unroll 4
            for (int n = 0; n < kVectors; ++n) {
                const F value = V::fma(unit, bias[n], Level::to_floats(sum[m][n]));
                any = V::either(any, reaches<Both>(tile, m, n, value));
            }
        }
        if (__builtin_expect(V::bits(any) == 0, 1)) return 0;
        int count = 0;
        for (int m = 0; m < kRows; ++m) {
            const F unit = V::broadcast(tile.unit[m]);
            for (int n = 0; n < kVectors; ++n) {
                const F value = V::fma(unit, bias[n], Level::to_floats(sum[m][n]));
                uint32_t mask = V::bits(reaches<Both>(tile, m, n, value));
                if (!mask) continue;
                float values[V::kLanes];
                V::store(values, value);
                for (; mask; mask &= mask - 1) {
                    const int lane = __builtin_ctz(mask);
                    hits[count++] = {m, n * V::kLanes + lane, values[lane]};
                }
            }
        }
        return count;
    }

    // Residuals are positive squares: a float sum of them errs by less than a factor of its longest chain.
    static double quantize(const float* row, float scale, int64_t count, int16_t* out) {
        constexpr int kStep = 8;
        typedef float Floats __attribute__((vector_size(4 * kStep)));
        typedef int32_t Words __attribute__((vector_size(4 * kStep)));
        typedef int16_t Shorts __attribute__((vector_size(2 * kStep)));
        constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
        Floats sum = {};
        float tail = 0;
        int64_t i = 0;
        for (; i + kStep <= count; i += kStep) {
            Floats value;
            std::memcpy(&value, row + i, sizeof value);
            value *= scale;
            const Floats whole = (value + kRounder) - kRounder;
            const Floats residual = value - whole;
            sum += residual * residual;
            const Shorts narrow = __builtin_convertvector(__builtin_convertvector(whole, Words), Shorts);
            std::memcpy(out + i, &narrow, sizeof narrow);
        }
        for (; i < count; ++i) {
            const float value = row[i] * scale, whole = (value + kRounder) - kRounder;
            out[i] = int16_t(whole);
            tail += (value - whole) * (value - whole);
        }
        for (int lane = 0; lane < kStep; ++lane) tail += sum[lane];
        return double(tail) * (1 + (double(count) / kStep + 32) / (1 << 23));
    }

    static void add_to(KnnKernels& kernels) {
        kernels.int16_rows = kRows;
        kernels.scan_int16 = &scan_tile<false>;
        kernels.scan_int16_both = &scan_tile<true>;
        kernels.quantize = &quantize;
    }
};

}  // namespace rote
