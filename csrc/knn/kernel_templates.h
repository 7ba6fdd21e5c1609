// knn/kernel_templates.h: the inner loops, written once. `Level` names the vector type, its fused multiply-add and the
// tile shape; every function carries the level in its symbol, so the linker cannot mix instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#include "knn/kernels.h"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors wider than the baseline's registers stay inside inlined code

#define ROTE_INLINE inline __attribute__((always_inline))

namespace rote {

/// GCC's vector extension takes no dependent sizes.
template <int Lanes>
struct VectorTypes;
template <>
struct VectorTypes<4> {
    typedef float F __attribute__((vector_size(16)));
    typedef double D __attribute__((vector_size(32)));
};
template <>
struct VectorTypes<8> {
    typedef float F __attribute__((vector_size(32)));
    typedef double D __attribute__((vector_size(64)));
};
template <>
struct VectorTypes<16> {
    typedef float F __attribute__((vector_size(64)));
};

/// Vectors by GCC's extension: any lane count on any target. Multiply and add round separately.
template <int Lanes>
struct PortableVector {
    using F = typename VectorTypes<Lanes>::F;
    static constexpr int kLanes = Lanes;
    static constexpr bool kFused = false;

    static ROTE_INLINE F load(const float* p) {
        F v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static ROTE_INLINE void store(float* p, F v) { std::memcpy(p, &v, sizeof v); }
    static ROTE_INLINE F broadcast(float x) { return F{} + x; }
    static ROTE_INLINE F fma(F a, F b, F c) { return a * b + c; }
    static ROTE_INLINE uint32_t not_below(F a, F b) {
        uint32_t mask = 0;
        for (int i = 0; i < Lanes; ++i) mask |= uint32_t(!(a[i] < b[i])) << i;
        return mask;
    }
    /// Cheap test whether not_below would be non-zero.
    static ROTE_INLINE bool any_not_below(F a, F b) { return not_below(a, b) != 0; }
};

template <class Level>
struct KernelTemplates {
    using V = typename Level::Vector;
    using F = typename V::F;
    static constexpr int kRows = Level::kQueryRows;
    static constexpr int kVectors = Level::kPanelVectors;
    static constexpr int kColumns = kVectors * V::kLanes;
    static constexpr int kDoubles = Level::kDoubleLanes;
    static constexpr int kGroups = 8 / kDoubles;
    static_assert(kRows * kColumns <= kMaxTileHits, "room for every pair of a tile");

    using D = typename VectorTypes<kDoubles>::D;  // a key's lanes, or half of them
    using H = typename VectorTypes<kDoubles>::F;  // as many floats

    static ROTE_INLINE D load_double(const double* p) {
        D v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static ROTE_INLINE H load_half(const float* p) {
        H v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static ROTE_INLINE D widen(const float* p) { return __builtin_convertvector(load_half(p), D); }
    static ROTE_INLINE D widen(const double* p) { return load_double(p); }

    // Scores of one tile, in registers for a block of the sum at a time.
    static ROTE_INLINE void multiply_block(const float* q, const float* r, int64_t depth, F (&sum)[kRows][kVectors]) {
#pragma GCC unroll 16
        for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 4
            for (int n = 0; n < kVectors; ++n) sum[m][n] = F{};
#pragma GCC unroll 4
        for (int64_t i = 0; i < depth; ++i) {
            F column[kVectors];
            __builtin_prefetch(r + Level::kPrefetch * kColumns);
#pragma GCC unroll 4
            for (int n = 0; n < kVectors; ++n) column[n] = V::load(r + n * V::kLanes);
#pragma GCC unroll 16
            for (int m = 0; m < kRows; ++m) {
                const F row = V::broadcast(q[m]);
#pragma GCC unroll 4
                for (int n = 0; n < kVectors; ++n) sum[m][n] = V::fma(row, column[n], sum[m][n]);
            }
            q += kRows;
            r += kColumns;
        }
    }

    // upper = score + (slack * norm + bias); reports the pairs whose upper bound is not below the threshold.
    static ROTE_INLINE int report(const TileOperands& operands, const F (&score)[kRows][kVectors], TileHit* hits) {
        bool any = false;
        F norm[kVectors], bias[kVectors];
#pragma GCC unroll 4
        for (int n = 0; n < kVectors; ++n) {
            norm[n] = V::load(operands.norm + n * V::kLanes);
            bias[n] = V::load(operands.bias + n * V::kLanes);
        }
#pragma GCC unroll 16
        for (int m = 0; m < kRows; ++m) {
            const F slack = V::broadcast(operands.slack[m]), threshold = V::broadcast(operands.threshold[m]);
#pragma GCC unroll 4
            for (int n = 0; n < kVectors; ++n)
                any |= V::any_not_below(score[m][n] + V::fma(slack, norm[n], bias[n]), threshold);
        }
        if (__builtin_expect(!any, 1)) return 0;
        int count = 0;
        for (int m = 0; m < kRows; ++m) {
            const F slack = V::broadcast(operands.slack[m]), threshold = V::broadcast(operands.threshold[m]);
            for (int n = 0; n < kVectors; ++n) {
                const F upper = score[m][n] + V::fma(slack, norm[n], bias[n]);
                uint32_t mask = V::not_below(upper, threshold);
                if (!mask) continue;
                float value[V::kLanes];
                V::store(value, upper);
                for (; mask; mask &= mask - 1) {
                    const int lane = __builtin_ctz(mask);
                    hits[count++] = {m, n * V::kLanes + lane, value[lane]};
                }
            }
        }
        return count;
    }

    static int scan_tile(const TileOperands& operands, TileHit* hits) {
        F score[kRows][kVectors];
        if (operands.dim <= kSumBlock) {
            multiply_block(operands.queries, operands.references, operands.dim, score);
            return report(operands, score, hits);
        }
        return scan_deep_tile(operands, hits);
    }

    // More than one block of the sum: totals wait in memory between blocks.
    static __attribute__((noinline)) int scan_deep_tile(const TileOperands& operands, TileHit* hits) {
        F total[kRows][kVectors] = {};
        for (int64_t begin = 0; begin < operands.dim; begin += kSumBlock) {
            const int64_t depth = operands.dim - begin < kSumBlock ? operands.dim - begin : kSumBlock;
            F score[kRows][kVectors];
            multiply_block(operands.queries + begin * kRows, operands.references + begin * kColumns, depth, score);
#pragma GCC unroll 16
            for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 4
                for (int n = 0; n < kVectors; ++n) total[m][n] += score[m][n];
        }
        return report(operands, total, hits);
    }

    template <bool Squared, class T>
    static double key_sum(const double* query, const T* reference, int64_t dim) {
        D sum[kGroups] = {};
        int64_t i = 0;
        for (; i + 8 <= dim; i += 8) {
#pragma GCC unroll 4
            for (int g = 0; g < kGroups; ++g) {
                const D q = load_double(query + i + g * kDoubles), r = widen(reference + i + g * kDoubles);
                const D difference = q - r;
                sum[g] = sum[g] + (Squared ? difference * difference : q * r);
            }
        }
        double lane[8];
        std::memcpy(lane, sum, sizeof lane);
        for (int l = 0; i + l < dim; ++l) {
            const double q = query[i + l], r = reference[i + l];
            const double difference = q - r;
            lane[l] = lane[l] + (Squared ? difference * difference : q * r);
        }
        return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    }

    // The order of this sum is free: its error is part of the bound.
    static ROTE_INLINE double join(const D (&sum)[2], double tail) {
        const D both = sum[0] + sum[1];
        for (int l = 0; l < kDoubles; ++l) tail += both[l];
        return tail;
    }

    static double centre_f32(const float* row, const float* centre, float scale, int64_t count, float* out) {
        D sum[2] = {};
        double tail = 0;
        int64_t i = 0;
        for (; i + 2 * kDoubles <= count; i += 2 * kDoubles) {
#pragma GCC unroll 2
            for (int g = 0; g < 2; ++g) {
                const int64_t at = i + g * kDoubles;
                const H value = (load_half(row + at) - load_half(centre + at)) * scale;
                std::memcpy(out + at, &value, sizeof value);
                const D wide = __builtin_convertvector(value, D);
                sum[g] = sum[g] + wide * wide;
            }
        }
        for (; i < count; ++i) {
            out[i] = (row[i] - centre[i]) * scale;
            tail += double(out[i]) * double(out[i]);
        }
        return join(sum, tail);
    }

    template <class T>
    static double normalize(const T* row, double factor, const double* centre, double scale, int64_t count,
                            float* out) {
        D sum[2] = {};
        double tail = 0;
        int64_t i = 0;
        for (; i + 2 * kDoubles <= count; i += 2 * kDoubles) {
#pragma GCC unroll 2
            for (int g = 0; g < 2; ++g) {
                const int64_t at = i + g * kDoubles;
                const H value =
                    __builtin_convertvector((widen(row + at) * factor - load_double(centre + at)) * scale, H);
                std::memcpy(out + at, &value, sizeof value);
                const D wide = __builtin_convertvector(value, D);
                sum[g] = sum[g] + wide * wide;
            }
        }
        for (; i < count; ++i) {
            out[i] = float((double(row[i]) * factor - centre[i]) * scale);
            tail += double(out[i]) * double(out[i]);
        }
        return join(sum, tail);
    }

    static void bfloat16_to_float(const uint16_t* in, int64_t count, float* out) {
        for (int64_t i = 0; i < count; ++i) {
            const uint32_t bits = uint32_t(in[i]) << 16;
            std::memcpy(out + i, &bits, sizeof bits);
        }
    }

    // 4 x 4 blocks: four rows in, four columns out.
    static void interleave(const float* rows, int64_t row_stride, int64_t count, float* panel) {
        typedef float Four __attribute__((vector_size(16)));
        int64_t i = 0;
        for (; i + 4 <= count; i += 4) {
            for (int c = 0; c < kColumns; c += 4) {
                Four in[4];
                for (int l = 0; l < 4; ++l) std::memcpy(&in[l], rows + (c + l) * row_stride + i, sizeof(Four));
                const Four a = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
                const Four b = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
                const Four e = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
                const Four f = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
                const Four out[4] = {
                    __builtin_shufflevector(a, e, 0, 1, 4, 5), __builtin_shufflevector(a, e, 2, 3, 6, 7),
                    __builtin_shufflevector(b, f, 0, 1, 4, 5), __builtin_shufflevector(b, f, 2, 3, 6, 7)};
                for (int l = 0; l < 4; ++l) std::memcpy(panel + (i + l) * kColumns + c, &out[l], sizeof(Four));
            }
        }
        for (; i < count; ++i)
            for (int c = 0; c < kColumns; ++c) panel[i * kColumns + c] = rows[c * row_stride + i];
    }

    static KnnKernels table(const char* name) {
        KnnKernels kernels{};
        kernels.name = name;
        kernels.query_rows = kRows;
        kernels.panel_columns = kColumns;
        kernels.fused = V::kFused;
        kernels.scan_tile = &scan_tile;
        kernels.squared_f32 = &key_sum<true, float>;
        kernels.squared_f64 = &key_sum<true, double>;
        kernels.product_f32 = &key_sum<false, float>;
        kernels.product_f64 = &key_sum<false, double>;
        kernels.centre_f32 = &centre_f32;
        kernels.normalize_f32 = &normalize<float>;
        kernels.normalize_f64 = &normalize<double>;
        kernels.half_to_float = &Level::half_to_float;
        kernels.bfloat16_to_float = &bfloat16_to_float;
        kernels.interleave = &interleave;
        return kernels;
    }
};

}  // namespace rote
