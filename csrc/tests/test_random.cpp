// tests/test_random.cpp: Philox known answers, the address layout at its limits, 16-bit casts.
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "check.h"
#include "rote/address.h"
#include "rote/dtype.h"
#include "rote/error.h"
#include "rote/random.h"

using namespace rote;

namespace {

struct KnownAnswer {
    uint32_t counter[4], key[2], answer[4];
};

// Random123's kat_vectors for philox4x32, 10 rounds.
const KnownAnswer kKnownAnswers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

void test_known_answers() {
    for (const KnownAnswer& known : kKnownAnswers) {
        const Philox4x32 block = philox4x32_10(known.counter[0], known.counter[1], known.counter[2], known.counter[3],
                                               known.key[0], known.key[1]);
        for (int i = 0; i < 4; ++i) CHECK(block.word[i] == known.answer[i], "word %d is %08x", i, block.word[i]);
    }
}

// The largest value of each field must fill exactly its own bits of the counter.
void test_address_limits() {
    const uint64_t image = kMaxImages - 1, view = kMaxViews - 1;
    const uint32_t stream = kMaxStreams - 1, block = (1u << kBlockBits) - 1, ones = 0xffffffffu;
    const auto same = [](Philox4x32 a, Philox4x32 b) { return std::memcmp(&a, &b, sizeof a) == 0; };
    CHECK(same(address_block(~uint64_t(0), image, view, stream, block),
               philox4x32_10(ones, ones, ones, ones, ones, ones)));
    CHECK(same(address_block(0, image, 0, 0, 0), philox4x32_10(ones, 0xff, 0, 0, 0, 0)));
    CHECK(same(address_block(0, 0, view, 0, 0), philox4x32_10(0, 0xffffff00u, 0x00ffffffu, 0, 0, 0)));
    CHECK(same(address_block(0, 0, 0, stream, 0), philox4x32_10(0, 0, 0xff000000u, 0xffu, 0, 0)));
    CHECK(same(address_block(0, 0, 0, 0, block), philox4x32_10(0, 0, 0, 0xffffff00u, 0, 0)));
    CHECK(!same(address_block(0, 0, 5, 0, 0), address_block(0, 0, 5 + (uint64_t(1) << 32), 0, 0)));
}

void test_slots() {
    AddressStream cursor = address_stream(7, 3, 2, 16);
    for (uint32_t slot : {0u, 5u, 1u, kMaxSlots - 1, 4u})
        CHECK(cursor.word(slot) == address_block(7, 3, 2, 16, slot >> 2).word[slot & 3]);
    for (uint32_t slot = 0; slot < 1000; ++slot) {
        CHECK(cursor.uniform(slot) >= 0 && cursor.uniform(slot) < 1);
        CHECK(cursor.integer(slot, 24) < 24);
    }
    CHECK(cursor.integer(0, uint64_t(1) << 32) == cursor.word(0));
}

void test_words_reject_bad_addresses() {
    int64_t image = 0, view = 0, out = -1;
    address_words(1, &image, &view, 1, 0xffff, kMaxSlots - 1, &out, 1);
    CHECK(out == address_block(1, 0, 0, 0xffff, (1u << 24) - 1).word[3]);
    CHECK_THROWS(ArgumentError, address_words(1, &image, &view, 1, 1 << 16, 0, &out, 1));
    CHECK_THROWS(ArgumentError, address_words(1, &image, &view, 1, 0, kMaxSlots, &out, 1));
    image = int64_t(kMaxImages);
    CHECK_THROWS(ArgumentError, address_words(1, &image, &view, 1, 0, 0, &out, 1));
    image = 0;
    view = -1;
    CHECK_THROWS(ArgumentError, address_words(1, &image, &view, 1, 0, 0, &out, 1));
}

// Every half and bfloat16 survives the way through float; midpoints round to even.
void test_16_bit_casts() {
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
        const Half half{uint16_t(bits)};
        if (!std::isnan(to_float(half))) CHECK(to_half(to_float(half)).bits == bits, "half %04x", bits);
        const BFloat16 brain{uint16_t(bits)};
        if (!std::isnan(to_float(brain))) CHECK(to_bfloat16(to_float(brain)).bits == bits, "bfloat16 %04x", bits);
    }
    for (uint32_t bits = 0; bits < 0x7c00; ++bits) {  // midpoint of two neighbouring halves, exact in float
        const float low = to_float(Half{uint16_t(bits)}),
                    high = bits == 0x7bff ? 65536.0f : to_float(Half{uint16_t(bits + 1)});
        CHECK(to_half((low + high) / 2).bits == bits + (bits & 1), "midpoint above %04x", bits);
    }
    CHECK(to_half(65519.0f).bits == 0x7bff && to_half(1e9f).bits == 0x7c00);
    CHECK(std::isnan(to_float(to_half(NAN))) && std::isnan(to_float(to_bfloat16(NAN))));
}

}  // namespace

int main() {
    test_known_answers();
    test_address_limits();
    test_slots();
    test_words_reject_bad_addresses();
    test_16_bit_casts();
    std::puts("random: ok");
}
