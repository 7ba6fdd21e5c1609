// tests/emulation/sm80.h: the copies and matrix instructions of sm_80 in fibers: asynchronous copies arrive when they
// are waited for and no earlier; products are summed as the model of the tensor core does.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "emulation/machine.h"
#include "rote/dtype.h"
#include "tensor_core_model.h"

namespace rote {

inline void copy_async_16(void* shared, const void* global) {
    if (reinterpret_cast<uintptr_t>(shared) % 16 || reinterpret_cast<uintptr_t>(global) % 16)
        emulation::fail("copy of 16 bytes that are not aligned");
    emulation::machine().current->copies.back().push_back({shared, global});
}
inline void commit_copies() {
    emulation::machine().current->copies.emplace_back();
}
template <int Pending>
void wait_copies() {
    auto& copies = emulation::machine().current->copies;
    while (copies.size() > size_t(Pending) + 1) {
        for (const emulation::Copy& copy : copies.front()) std::memcpy(copy.to, copy.from, 16);
        copies.pop_front();
    }
}

// Lane l holds elements (l / 4, l % 4 * 2) and the one to its right of each 8 x 8 matrix.
inline void load_matrices(uint32_t (&out)[4], const void* row) {
    const auto slots = emulation::exchange(row, "ldmatrix");
    const int lane = int(emulation::machine().current->thread % emulation::kLanes);
    for (int matrix = 0; matrix < 4; ++matrix) {
        const auto from = emulation::lane_value<const uint8_t*>(slots, matrix * 8 + lane / 4);
        std::memcpy(&out[matrix], from + lane % 4 * 4, 4);
    }
    emulation::exchange(0, "syncwarp");  // nobody overwrites what another lane still reads
}

struct Fragments {
    uint32_t a[4], b[2];
};

inline double half_of(uint32_t pair, int which) {
    static const std::vector<float> table = [] {
        std::vector<float> values(1 << 16);
        for (uint32_t bits = 0; bits < values.size(); ++bits) values[bits] = to_float(Half{uint16_t(bits)});
        return values;
    }();
    return double(table[uint16_t(pair >> (16 * which))]);
}

inline void multiply_add(float (&sums)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const auto slots = emulation::exchange(Fragments{{a[0], a[1], a[2], a[3]}, {b0, b1}}, "mma");
    const int lane = int(emulation::machine().current->thread % emulation::kLanes);
    for (int e = 0; e < 4; ++e) {
        const int row = lane / 4, column = lane % 4 * 2 + e % 2;
        double products[16];
        for (int depth = 0; depth < 16; ++depth) {
            const auto left = emulation::lane_value<Fragments>(slots, row * 4 + depth % 8 / 2);
            const auto right = emulation::lane_value<Fragments>(slots, column * 4 + depth % 8 / 2);
            products[depth] =
                half_of(left.a[e / 2 + depth / 8 * 2], depth % 2) * half_of(right.b[depth / 8], depth % 2);
        }
        if (emulation::machine().group) {
            sums[e] = tensor_core_step(sums[e], products, emulation::machine().group, emulation::machine().away);
        } else {
            double sum = sums[e];
            for (double product : products) sum += product;
            sums[e] = float(sum);
        }
    }
}

}  // namespace rote
