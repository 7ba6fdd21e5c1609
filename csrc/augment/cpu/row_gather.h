// augment/cpu/row_gather.h: rearranging the bytes of a row, which is what flips and crops are. Included by executor_*
// only.
#pragma once

#include "augment/cpu/vector.h"

namespace rote {
namespace {

/// A fixed rearrangement of the bytes of a row: out[d] = row[index[d]], `fill` where index is -1.
struct RowGather {
    const int32_t* index = nullptr;
    int32_t count = 0;   // bytes out
    int32_t width = 0;   // bytes in
    int32_t chunks = 0;  // 16-byte pieces of the row that are read; 0: byte by byte
    int32_t first_chunk = 0;
    uint8_t* controls = nullptr;
    uint8_t fill = 0;
    const uint8_t* fills = nullptr;  // fill where index is -1, else 0
};

#if defined(__AVX2__)

/// Shuffle controls per 16-byte chunk of the row: in-chunk positions, or the zeroing bit where another chunk holds it.
/// `index` is padded with -1 to a multiple of 32.
inline RowGather plan_gather(int32_t* index, int32_t count, int32_t width, uint8_t* controls, uint8_t fill = 0) {
    RowGather gather{index, count, width, 0, 0, controls, fill, nullptr};
    const int32_t blocks = (count + 31) / 32;
    for (int32_t d = count; d < blocks * 32; ++d) index[d] = -1;
    uint32_t least = uint32_t(width - 1);
    int32_t most = 0;
    for (int32_t d = 0; d < blocks * 32; ++d) {
        least = uint32_t(index[d]) < least ? uint32_t(index[d]) : least;
        most = index[d] > most ? index[d] : most;
    }
    const int32_t first = int32_t(least) / 16, chunks = most / 16 - first + 1;
    if (chunks < 1 || chunks > kMaxGatherChunks) return gather;
    gather.chunks = chunks;
    gather.first_chunk = first;
    uint8_t* const fills = controls + int64_t(chunks) * blocks * 32;
    if (fill != 0) gather.fills = fills;
    alignas(32) uint8_t packed[32];
    for (int32_t block = 0; block < blocks; ++block) {
        const int32_t* const from = index + block * 32;
        for (int32_t i = 0; i < 32; ++i) packed[i] = uint8_t(from[i] < 0 ? 255 : from[i] - 16 * first);
        if (fill != 0)
            for (int32_t i = 0; i < 32; ++i) fills[block * 32 + i] = from[i] < 0 ? fill : uint8_t(0);
        const __m256i positions = _mm256_load_si256(reinterpret_cast<const __m256i*>(packed));
        for (int32_t c = 0; c < chunks; ++c) {
            // 0..15 becomes 0x70..0x7f (a position), everything else saturates into bit 7 (zero).
            const __m256i local = _mm256_sub_epi8(positions, _mm256_set1_epi8(char(16 * c)));
            _mm256_store_si256(reinterpret_cast<__m256i*>(controls + (int64_t(c) * blocks + block) * 32),
                               _mm256_adds_epu8(local, _mm256_set1_epi8(0x70)));
        }
    }
    return gather;
}

/// `padded` holds at least width rounded up to 16 bytes and is used where a whole chunk would run off the row.
inline void gather_row(const RowGather& gather, const uint8_t* row, uint8_t* padded, uint8_t* out) {
    if (gather.chunks == 0) {
        for (int32_t d = 0; d < gather.count; ++d) out[d] = gather.index[d] < 0 ? gather.fill : row[gather.index[d]];
        return;
    }
    if ((gather.first_chunk + gather.chunks) * 16 > gather.width) {
        memcpy(padded, row, size_t(gather.width));
        row = padded;
    }
    const __m256i* const controls = reinterpret_cast<const __m256i*>(gather.controls);
    const int32_t blocks = (gather.count + 31) / 32;
    for (int32_t block = 0; block < blocks; ++block) {
        __m256i bytes = gather.fills
                            ? _mm256_load_si256(reinterpret_cast<const __m256i*>(gather.fills + int64_t(block) * 32))
                            : _mm256_setzero_si256();
        for (int32_t c = 0; c < gather.chunks; ++c) {
            const __m256i chunk = _mm256_broadcastsi128_si256(
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + (gather.first_chunk + c) * 16)));
            const __m256i control = _mm256_load_si256(controls + int64_t(c) * blocks + block);
            bytes = _mm256_or_si256(bytes, _mm256_shuffle_epi8(chunk, control));
        }
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + block * 32), bytes);
    }
}

/// Rows of 32 pixels at most out of 32 bytes: the rearrangement stays in registers.
inline void gather_short_rows(const RowGather& gather, const uint8_t* image, int64_t stride, const int32_t* rows,
                              int32_t count, uint8_t* out) {
    const __m256i* const controls = reinterpret_cast<const __m256i*>(gather.controls);
    const __m256i first = _mm256_load_si256(controls);
    const __m256i second = gather.chunks == 2 ? _mm256_load_si256(controls + 1) : _mm256_set1_epi8(-1);
    const __m256i fills = gather.fills ? _mm256_load_si256(reinterpret_cast<const __m256i*>(gather.fills))
                                       : _mm256_setzero_si256();
    const int32_t second_chunk = gather.chunks == 2 ? 16 : 0;
    image += gather.first_chunk * 16;
    for (int32_t y = 0; y < count; ++y) {
        __m256i bytes = _mm256_set1_epi8(char(gather.fill));
        if (rows[y] >= 0) {
            const __m128i* const row = reinterpret_cast<const __m128i*>(image + rows[y] * stride);
            const __m128i* const behind = reinterpret_cast<const __m128i*>(image + rows[y] * stride + second_chunk);
            bytes = _mm256_or_si256(
                _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(row)), first),
                _mm256_or_si256(
                    _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(behind)), second), fills));
        }
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + int64_t(y) * gather.count), bytes);
    }
}

inline bool has_short_rows(const RowGather& gather) {
    return gather.count <= 32 && (gather.chunks == 1 || gather.chunks == 2) &&
           (gather.first_chunk + gather.chunks) * 16 <= gather.width;
}

#else

inline RowGather plan_gather(int32_t* index, int32_t count, int32_t width, uint8_t* controls, uint8_t fill = 0) {
    return {index, count, width, 0, 0, controls, fill, nullptr};
}

inline void gather_row(const RowGather& gather, const uint8_t* row, uint8_t*, uint8_t* out) {
    for (int32_t d = 0; d < gather.count; ++d) out[d] = gather.index[d] < 0 ? gather.fill : row[gather.index[d]];
}

inline bool has_short_rows(const RowGather&) {
    return false;
}
inline void gather_short_rows(const RowGather&, const uint8_t*, int64_t, const int32_t*, int32_t, uint8_t*) {}

#endif

/// Rows rows[0..count-1] of an image (-1: a row of fill), one behind the other; out may be overrun by a vector.
inline void gather_rows(const RowGather& gather, const uint8_t* image, int64_t stride, const int32_t* rows,
                        int32_t count, uint8_t* padded, uint8_t* out) {
    if (has_short_rows(gather)) return gather_short_rows(gather, image, stride, rows, count, out);
    for (int32_t y = 0; y < count; ++y) {
        uint8_t* const to = out + int64_t(y) * gather.count;
        if (rows[y] < 0)
            memset(to, gather.fill, size_t(gather.count));
        else
            gather_row(gather, image + rows[y] * stride, padded, to);
    }
}

}  // namespace
}  // namespace rote
