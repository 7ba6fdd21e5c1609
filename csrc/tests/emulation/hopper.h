// tests/emulation/hopper.h: what the Hopper pass needs beyond cuda_runtime.h: clusters, transaction barriers, the copy
// engine and the warpgroup's product, with the names of the PTX wrappers (knn/cuda/hopper_mbarrier.cuh, hopper_tma.cuh,
// hopper_wgmma.cuh). Copies arrive in any order and any time later; products read their operands when they are issued
// or when they are waited for. Addresses are those of the hardware: the rank in bits 24 and up, tiles swizzled.
#pragma once

#include <map>

#include "emulation/cuda_runtime.h"
#include "knn/cuda/hopper_layout.h"

/// How the copy engine sees packed rows.
struct CUtensorMap {
    const uint16_t* data;
    int64_t rows, width;
    int box_rows;
};

namespace emulation {

constexpr uint32_t kSharedStart = 0x400;  // the system keeps what is below

struct TransactionBarrier {
    int arrivals = 0, pending = 0, bytes = 0;
    uint32_t phase = 0;
    std::vector<Fiber*> waiting;

    void complete() {
        if (pending != 0 || bytes != 0) return;
        pending = arrivals;
        ++phase;
        for (Fiber* fiber : waiting) fiber->waiting = false;
        waiting.clear();
    }
};

struct PendingCopy {
    std::vector<uint8_t> data;
    std::vector<uint32_t> destinations;  // of consecutive 16-byte pieces
    uint32_t barrier;
};

struct Product {
    float* sums;
    int columns;
    uint32_t a, b;
    bool accumulate, done;
};

/// The cluster that runs.
struct Cluster {
    unsigned block_threads = ~0u, size = 1;
    std::vector<std::vector<uint8_t>> shared;  // per block
    std::map<uint32_t, TransactionBarrier> barriers;
    std::vector<PendingCopy> copies;
    std::map<unsigned, std::deque<std::vector<Product>>> products;  // per thread, groups not yet waited for
    TransactionBarrier everybody;                                   // of the cluster
};

inline Cluster& cluster() {
    static Cluster instance;
    return instance;
}

inline unsigned block_rank() {
    return machine().current->thread / cluster().block_threads;
}

inline uint8_t* at_shared(uint32_t address) {
    const uint32_t rank = address >> 24, offset = (address & 0xffffffu) - kSharedStart;
    if (rank >= cluster().size || offset >= cluster().shared[rank].size()) fail("address outside shared memory");
    return cluster().shared[rank].data() + offset;
}

inline TransactionBarrier& barrier_at(uint32_t address) {
    const auto found = cluster().barriers.find(address);
    if (found == cluster().barriers.end()) fail("no barrier was initialized there");
    return found->second;
}

inline void arrive_at(uint32_t address, int bytes) {
    TransactionBarrier& barrier = barrier_at(address);
    if (barrier.pending == 0) fail("an arrival too many");
    --barrier.pending;
    barrier.bytes += bytes;
    barrier.complete();
}

/// The copy engine has no fiber of its own: whoever waits brings somebody's copy, or lets time pass.
inline void bring_a_copy() {
    std::vector<PendingCopy>& copies = cluster().copies;
    const size_t chosen = machine().random() % copies.size();
    const PendingCopy copy = std::move(copies[chosen]);
    copies.erase(copies.begin() + long(chosen));
    for (size_t piece = 0; piece < copy.destinations.size(); ++piece)
        std::memcpy(at_shared(copy.destinations[piece]), copy.data.data() + 16 * piece, 16);
    TransactionBarrier& barrier = barrier_at(copy.barrier);
    barrier.bytes -= int(copy.data.size());
    barrier.complete();
}

inline void wait_at(TransactionBarrier& barrier, uint32_t parity) {
    while ((barrier.phase & 1) == parity) {
        const bool copies = !cluster().copies.empty();
        if (copies && machine().random() % 64 == 0) {
            bring_a_copy();
            continue;
        }
        if (!copies) {
            barrier.waiting.push_back(machine().current);
            machine().current->waiting = true;
        }
        yield();
    }
}

// Row `row` of the operand of a descriptor: sixteen halves, in two pieces that swizzling moves (PTX ISA, matrix
// descriptor format and canonical layouts).
inline void read_operand(double (&values)[rote::hopper::kStepWidth], uint32_t low, int row) {
    const uint32_t start = (low & 0x3fffu) << 4, stride = (rote::hopper::kDescriptorHigh & 0x3fffu) << 4;
    for (int piece = 0; piece < 2; ++piece) {
        const uint32_t linear = start + uint32_t(row / 8) * stride + uint32_t(row % 8) * 128 + uint32_t(piece) * 16;
        uint16_t bits[8];
        std::memcpy(bits, at_shared((linear ^ ((linear >> 3) & 0x70u)) | block_rank() << 24), 16);
        for (int i = 0; i < 8; ++i) values[piece * 8 + i] = rote::half_of(bits[i], 0);
    }
}

inline void compute(Product& product) {
    using namespace rote::hopper;
    if (product.done) return;
    product.done = true;
    const int thread = int(machine().current->thread % kGroupThreads);
    double left[2][kStepWidth], right[kStepWidth];
    for (int half = 0; half < 2; ++half) read_operand(left[half], product.a, accumulator_place(thread, 2 * half).row);
    for (int column = 0; column < product.columns / 4; ++column) {  // of the thread: two in every eight
        const int index = column / 2 * 4 + column % 2;
        read_operand(right, product.b, accumulator_place(thread, index).column);
        for (int half = 0; half < 2; ++half) {
            float& sum = product.sums[index + 2 * half];
            double products[kStepWidth], total = product.accumulate ? double(sum) : 0.0;
            for (int k = 0; k < kStepWidth; ++k) products[k] = left[half][k] * right[k];
            if (machine().group) {
                sum = rote::tensor_core_step(float(total), products, machine().group, machine().away);
            } else {
                for (const double each : products) total += each;
                sum = float(total);
            }
        }
    }
}

/// Runs `body` for clusters of `size` blocks of `threads` threads each, one cluster at a time.
template <class Body>
void run_clusters(int clusters, unsigned size, unsigned threads, size_t shared_bytes, Body body) {
    Machine& m = machine();
    Cluster& c = cluster();
    c.block_threads = threads;
    c.size = size;
    m.grid = {unsigned(clusters) * size, 1, 1};
    m.body = body;
    for (int index = 0; index < clusters; ++index) {
        m.block = {unsigned(index) * size, 0, 0};
        c.shared.assign(size, std::vector<uint8_t>(shared_bytes, 0xff));
        c.barriers.clear();
        c.products.clear();
        c.everybody = {int(size * threads), int(size * threads), 0, 0, {}};
        run_block(size * threads);
        if (!c.copies.empty()) fail("copies are still under way");
    }
    c.block_threads = ~0u;
    c.size = 1;
}

}  // namespace emulation

#undef threadIdx
#undef blockIdx
#define threadIdx (emulation::ThreadIndex{emulation::machine().current->thread % emulation::cluster().block_threads})
#define blockIdx (emulation::ThreadIndex{emulation::machine().block.x + emulation::block_rank()})

inline bool __any_sync(unsigned mask, bool value) {
    return __ballot_sync(mask, value) != 0;
}
inline unsigned __reduce_or_sync(unsigned, unsigned value) {
    const auto slots = emulation::exchange(value, "reduce or");
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane) bits |= emulation::lane_value<unsigned>(slots, lane);
    return bits;
}

namespace rote::hopper {

inline uint32_t shared_address(const void* pointer) {
    const uint32_t rank = emulation::block_rank();
    const int64_t offset = static_cast<const uint8_t*>(pointer) - emulation::cluster().shared[rank].data();
    return (rank << 24) + emulation::kSharedStart + uint32_t(offset);
}

inline void barrier_init(uint32_t barrier, uint32_t arrivals) {
    emulation::at_shared(barrier + 7);
    emulation::cluster().barriers[barrier] = {int(arrivals), int(arrivals), 0, 0, {}};
}
inline void publish_barriers() {}
inline void arrive_expecting(uint32_t barrier, uint32_t bytes) {
    emulation::arrive_at(barrier, int(bytes));
}
inline void arrive(uint32_t barrier) {
    emulation::arrive_at(barrier, 0);
}
inline void arrive_at_block(uint32_t barrier, uint32_t rank) {
    emulation::arrive_at((barrier & 0xffffffu) | rank << 24, 0);
}
inline void wait(uint32_t barrier, uint32_t parity) {
    emulation::wait_at(emulation::barrier_at(barrier), parity);
}
inline void cluster_sync() {
    emulation::TransactionBarrier& everybody = emulation::cluster().everybody;
    const uint32_t parity = everybody.phase & 1;
    --everybody.pending;
    everybody.complete();
    emulation::wait_at(everybody, parity);
}
inline uint32_t rank_in_cluster() {
    return emulation::block_rank();
}
template <int kRegisters>
void give_registers_back() {}
template <int kRegisters>
void take_registers() {}

inline void prefetch_map(const CUtensorMap*) {}

inline void copy_box_to_blocks(uint32_t destination, const CUtensorMap* map, int column, int row, uint32_t barrier,
                               uint16_t blocks) {
    if (destination % kAtomBytes) emulation::fail("a box is not aligned to a swizzle atom");
    for (uint32_t rank = 0; rank < emulation::cluster().size; ++rank) {
        if (!(blocks >> rank & 1)) continue;
        emulation::PendingCopy copy{{}, {}, (barrier & 0xffffffu) | rank << 24};
        for (int r = 0; r < map->box_rows; ++r)
            for (int piece = 0; piece < kChunkRowBytes / 16; ++piece) {
                uint16_t values[8];
                for (int i = 0; i < 8; ++i) {
                    const int64_t at_row = row + r, at_column = column + piece * 8 + i;
                    const bool inside = at_row < map->rows && at_column < map->width;
                    values[i] = inside ? map->data[at_row * map->width + at_column] : uint16_t(0);
                }
                const auto* const bytes = reinterpret_cast<const uint8_t*>(values);
                copy.data.insert(copy.data.end(), bytes, bytes + 16);
                const uint32_t linear = (destination & 0xffffffu) + uint32_t(r) * 128 + uint32_t(piece) * 16;
                copy.destinations.push_back((linear ^ ((linear >> 7 & 7) << 4)) | rank << 24);
            }
        emulation::cluster().copies.push_back(std::move(copy));
    }
}
inline void copy_box(uint32_t destination, const CUtensorMap* map, int column, int row, uint32_t barrier) {
    copy_box_to_blocks(destination, map, column, row, barrier, uint16_t(1u << emulation::block_rank()));
}
inline void copy_bytes(uint32_t destination, const void* source, uint32_t bytes, uint32_t barrier) {
    if (destination % 16 || bytes % 16 || reinterpret_cast<uintptr_t>(source) % 16) emulation::fail("misaligned copy");
    const auto* const from = static_cast<const uint8_t*>(source);
    emulation::PendingCopy copy{{from, from + bytes}, {}, barrier};
    for (uint32_t at = 0; at < bytes; at += 16) copy.destinations.push_back(destination + at);
    emulation::cluster().copies.push_back(std::move(copy));
}

inline void mma_fence() {}
template <int kSums>
void mma(float (&sums)[kSums], uint32_t a, uint32_t b, bool accumulate) {
    auto& groups = emulation::cluster().products[emulation::machine().current->thread];
    if (groups.empty()) groups.emplace_back();
    groups.back().push_back({sums, kSums * kGroupThreads / kMmaRows, a, b, accumulate, false});
}
inline void mma_commit() {
    auto& groups = emulation::cluster().products[emulation::machine().current->thread];
    bool first = true;  // sums depend on one another, so early products are the oldest ones
    for (auto& group : groups)
        for (emulation::Product& product : group) {
            first = first && emulation::machine().random() % 2;
            if (first) emulation::compute(product);
        }
    groups.emplace_back();
}
template <int kPending>
void mma_wait() {
    auto& groups = emulation::cluster().products[emulation::machine().current->thread];
    while (groups.size() > size_t(kPending) + 1) {
        for (emulation::Product& product : groups.front()) emulation::compute(product);
        groups.pop_front();
    }
    __syncwarp();  // wait_group is .sync.aligned: when one lane goes on, the products of all are done
}

}  // namespace rote::hopper
