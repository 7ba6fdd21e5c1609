// augment/cpu/lookup.h: 16-bit outputs straight from the bytes of the bank. Included by executor_* only.
//
// Where only moves and a normalization have acted, an output is a function of one byte, the same for every view: a table
// of 256 entries, which AVX-512 holds in eight vectors. Four permutations and three blends replace the conversion,
// normalization and cast of 32 pixels.
#pragma once

#include "augment/cpu/pass.h"

namespace rote {
namespace {

#if defined(__AVX512F__)
constexpr bool kLooksUp = true;
#else
constexpr bool kLooksUp = false;
#endif

/// Whether nothing but a normalization is owed to bytes of the bank.
inline bool is_function_of_byte(const View& view) {
    if (view.resize.owed || !view.in_bank || !has_byte_fill(view)) return false;
    return view.chain.count == 0 || (view.chain.count == 1 && view.chain.ops[0].normalization);
}

/// The outputs of all bytes, [channels, 256]; computed as any pixel would be, once for successive views.
template <class Cast>
inline const uint16_t* table_of_view(View& view) {
    uint16_t* const tables = view.part<uint16_t>(view.layout->byte_tables);
    const Normalization* const key = view.chain.count ? view.chain.ops[0].normalization : nullptr;
    if (view.has_tables && view.tables_key == key) return tables;
    uint8_t bytes[256];
    for (int i = 0; i < 256; ++i) bytes[i] = uint8_t(i);
    for (int32_t c = 0; c < view.plan->channels; ++c)
        for (int32_t p = 0; p < 256; p += kPair) {
            Block<1> block{};
            on_halves(block.x, [&](FloatPair& v, int) {
                v = {unit_from_bytes(bytes + p), unit_from_bytes(bytes + p + kLanes)};
            });
            apply_chain(view.chain, block, c);
            const FloatPair& pixels = half_of(block.x, 0);
            store(tables + c * 256 + p, Cast::cast(pixels.a, pixels.b));
        }
    view.has_tables = true;
    view.tables_key = key;
    return tables;
}

#if defined(__AVX512F__)

/// kPair bytes as entries of the table.
struct ByteTable {
    HalfwordPair t0, t1, t2, t3, t4, t5, t6, t7;

    explicit ByteTable(const uint16_t* from)
        : t0(load<HalfwordPair>(from)),
          t1(load<HalfwordPair>(from + 32)),
          t2(load<HalfwordPair>(from + 64)),
          t3(load<HalfwordPair>(from + 96)),
          t4(load<HalfwordPair>(from + 128)),
          t5(load<HalfwordPair>(from + 160)),
          t6(load<HalfwordPair>(from + 192)),
          t7(load<HalfwordPair>(from + 224)) {}

    ROTE_INLINE HalfwordPair at(const uint8_t* bytes) const {
        const HalfwordPair index =
            (HalfwordPair)_mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
        const auto upper_half = (index & 64) != 0;
        const HalfwordPair low =
            upper_half ? __builtin_shuffle(t2, t3, index) : __builtin_shuffle(t0, t1, index);
        const HalfwordPair high =
            upper_half ? __builtin_shuffle(t6, t7, index) : __builtin_shuffle(t4, t5, index);
        return (index & 128) != 0 ? high : low;
    }
};

inline void look_up(const uint16_t* table, const uint8_t* bytes, int32_t count, bool streams, uint16_t* to) {
    const ByteTable entries(table);
    int32_t p = 0;
    if (streams)
        for (; p + kPair <= count; p += kPair) stream(to + p, entries.at(bytes + p));
    else
        for (; p + kPair <= count; p += kPair) store(to + p, entries.at(bytes + p));
    const HalfwordPair rest = entries.at(bytes + p);  // a plane of bytes may be overrun
    memcpy(to + p, &rest, size_t(count - p) * sizeof(uint16_t));
}

#else

inline void look_up(const uint16_t*, const uint8_t*, int32_t, bool, uint16_t*) {}

#endif

}  // namespace
}  // namespace rote
