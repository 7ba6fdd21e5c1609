// knn/cpu/kernel_templates.h: the inner loops, written once. `Level` names the vector type, its fused multiply-add and
// the tile shape; every function carries the level in its symbol, so the linker cannot mix instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#include "knn/cpu/int16_templates.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/portable_vector.h"

namespace rote {

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
    static ROTE_INLINE void multiply_block(const float* q, const float* r, int64_t depth, F (&total)[kRows][kVectors]) {
        F sum[kRows][kVectors];
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
#pragma GCC unroll 16
        for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 4
            for (int n = 0; n < kVectors; ++n) total[m][n] = sum[m][n];
        asm volatile("" : : "r"(&total[0][0]) : "memory");  // or the compiler stores every sum in every step
    }

    // upper = score + (slack * norm + bias); reports the pairs whose upper bound is not below the threshold.
    static ROTE_INLINE int report(const TileOperands& operands, const F (&score)[kRows][kVectors], TileHit* hits) {
        typename V::Mask any{};
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
                any = V::either(any, V::not_below(score[m][n] + V::fma(slack, norm[n], bias[n]), threshold));
        }
        if (__builtin_expect(V::bits(any) == 0, 1)) return 0;
        int count = 0;
        for (int m = 0; m < kRows; ++m) {
            const F slack = V::broadcast(operands.slack[m]), threshold = V::broadcast(operands.threshold[m]);
            for (int n = 0; n < kVectors; ++n) {
                const F upper = score[m][n] + V::fma(slack, norm[n], bias[n]);
                uint32_t mask = V::bits(V::not_below(upper, threshold));
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

    static ROTE_INLINE float join_floats(F sum) {
        float lane[V::kLanes];
        V::store(lane, sum);
#pragma GCC unroll 4
        for (int half = V::kLanes / 2; half > 0; half /= 2)
#pragma GCC unroll 8
            for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
        return lane[0];
    }

    // Four sums of vectors, then of lanes; `direct_depth` bounds the roundings of a term.
    template <bool Squared>
    static DirectSums direct(const float* query, const float* reference, int64_t dim) {
        constexpr int kStep = V::kLanes;
        F sum[4] = {}, squares[4] = {};
        const auto add = [&](int at, int64_t i) ROTE_INLINE_LAMBDA {
            const F q = V::load(query + i), r = V::load(reference + i);
            if (Squared) {
                sum[at] = V::fma(q - r, q - r, sum[at]);
            } else {
                sum[at] = V::fma(q, r, sum[at]);
                squares[at] = V::fma(r, r, squares[at]);
            }
        };
        int64_t i = 0;
        for (; i + 4 * kStep <= dim; i += 4 * kStep) {
#pragma GCC unroll 4
            for (int at = 0; at < 4; ++at) add(at, i + at * kStep);
        }
        for (; i + kStep <= dim; i += kStep) add(0, i);
        DirectSums result{0, 0};
        for (; i < dim; ++i) {
            const float q = query[i], r = reference[i];
            result.sum += Squared ? (q - r) * (q - r) : q * r;
            result.squares += r * r;
        }
        const F all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        const F all_squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
        result.sum += join_floats(all);
        if (!Squared) result.squares += join_floats(all_squares);
        return result;
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

    template <class T>
    static double squares(const T* row, int64_t dim) {
        D sum[2] = {};
        double tail = 0;
        int64_t i = 0;
        for (; i + 2 * kDoubles <= dim; i += 2 * kDoubles) {
#pragma GCC unroll 2
            for (int g = 0; g < 2; ++g) {
                const D value = widen(row + i + g * kDoubles);
                sum[g] = sum[g] + value * value;
            }
        }
        for (; i < dim; ++i) tail += double(row[i]) * double(row[i]);
        return join(sum, tail);
    }

    static void bfloat16_to_float(const uint16_t* in, int64_t count, float* out) {
        for (int64_t i = 0; i < count; ++i) {
            const uint32_t bits = uint32_t(in[i]) << 16;
            std::memcpy(out + i, &bits, sizeof bits);
        }
    }

    // 4 x 4 blocks: four rows in, four columns out.
    static void interleave(const void* rows, int64_t row_stride, int64_t count, void* panel) {
        typedef uint32_t Four __attribute__((vector_size(16)));
        constexpr int64_t kWord = 4;
        const auto row_at = [&](int c, int64_t i) {
            return static_cast<const char*>(rows) + (c * row_stride + i) * kWord;
        };
        const auto place = [&](int64_t i, int c) { return static_cast<char*>(panel) + (i * kColumns + c) * kWord; };
        int64_t i = 0;
        for (; i + 4 <= count; i += 4) {
            for (int c = 0; c < kColumns; c += 4) {
                Four in[4];
                for (int l = 0; l < 4; ++l) std::memcpy(&in[l], row_at(c + l, i), sizeof(Four));
                const Four a = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
                const Four b = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
                const Four e = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
                const Four f = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
                const Four out[4] = {
                    __builtin_shufflevector(a, e, 0, 1, 4, 5), __builtin_shufflevector(a, e, 2, 3, 6, 7),
                    __builtin_shufflevector(b, f, 0, 1, 4, 5), __builtin_shufflevector(b, f, 2, 3, 6, 7)};
                for (int l = 0; l < 4; ++l) std::memcpy(place(i + l, c), &out[l], sizeof(Four));
            }
        }
        for (; i < count; ++i)
            for (int c = 0; c < kColumns; ++c) std::memcpy(place(i, c), row_at(c, i), kWord);
    }

    static KnnKernels table(const char* name) {
        KnnKernels kernels{};
        kernels.name = name;
        kernels.query_rows = kRows;
        kernels.panel_columns = kColumns;
        kernels.fused = V::kFused;
        kernels.scan_tile = &scan_tile;
        kernels.direct_squared = &direct<true>;
        kernels.direct_product = &direct<false>;
        kernels.squared_f32 = &key_sum<true, float>;
        kernels.squared_f64 = &key_sum<true, double>;
        kernels.product_f32 = &key_sum<false, float>;
        kernels.product_f64 = &key_sum<false, double>;
        kernels.squares_f32 = &squares<float>;
        kernels.squares_f64 = &squares<double>;
        kernels.centre_f32 = &centre_f32;
        kernels.normalize_f32 = &normalize<float>;
        kernels.normalize_f64 = &normalize<double>;
        kernels.half_to_float = &Level::half_to_float;
        kernels.bfloat16_to_float = &bfloat16_to_float;
        kernels.interleave = &interleave;
        Int16Templates<Level>::add_to(kernels);
        return kernels;
    }
};

}  // namespace rote
