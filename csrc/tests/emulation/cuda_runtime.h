// tests/emulation/cuda_runtime.h: enough of CUDA to run the kernels on the CPU, lane by lane. Threads of a block
// are fibers that switch at barriers and warp exchanges, in random order; asynchronous copies arrive when they are
// waited for and no earlier; a warp exchange that a lane misses is an error. Finds what logic can get wrong, not what
// memory models can.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "rote/dtype.h"
#include "tensor_core_model.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __shared__ static
#define __grid_constant__

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
struct float2 {
    float x, y;
};
using cudaStream_t = void*;
using cudaError_t = int;
constexpr cudaError_t cudaSuccess = 0;
enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin, cudaDevAttrMultiProcessorCount };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };

namespace emulation {

constexpr int kLanes = 32;
constexpr size_t kStackBytes = 64 << 10;
constexpr size_t kSlotBytes = 32;

struct Copy {
    void* to;
    const void* from;
};

struct Fiber {
    ucontext_t start;
    jmp_buf place;
    bool started = false, done = false, waiting = false;
    unsigned thread = 0;
    unsigned exchanges = 0;
    std::deque<std::vector<Copy>> copies{1};
    std::unique_ptr<char[]> stack{new char[kStackBytes]};
};

struct Warp {
    unsigned arrived = 0;
    const char* what = nullptr;
    alignas(8) unsigned char slots[2][kLanes][kSlotBytes];
};

/// The device: one block at a time.
struct Machine {
    dim3 block, grid;
    std::vector<std::unique_ptr<Fiber>> fibers;
    std::vector<Warp> warps;
    std::vector<uint8_t> shared;
    Fiber* current = nullptr;
    jmp_buf scheduler;
    unsigned threads = 0, alive = 0, at_barrier = 0;
    std::function<void()> body;
    std::mt19937 random{1};
    int shared_limit = 227 << 10, processors = 4;
    int group = 0;      // of the tensor core's sums (tensor_core_model.h); 0: no error but one rounding, and faster
    bool away = false;  // direction of their errors
};

inline Machine& machine() {
    static Machine instance;
    return instance;
}

inline void fail(const char* message) {
    std::fprintf(stderr, "emulated kernel: %s (thread %u of block %u)\n", message, machine().current->thread,
                 machine().block.x);
    std::abort();
}

inline void yield() {
    Machine& m = machine();
    if (!_setjmp(m.current->place)) _longjmp(m.scheduler, 1);
}

inline void run_fiber() {
    machine().body();
    machine().current->done = true;
    _longjmp(machine().scheduler, 1);
}

inline void resume(Fiber& fiber) {
    Machine& m = machine();
    m.current = &fiber;
    if (_setjmp(m.scheduler)) return;
    if (fiber.started) _longjmp(fiber.place, 1);
    fiber.started = true;
    setcontext(&fiber.start);
}

/// Waits for all threads that have not returned.
inline void block_barrier() {
    Machine& m = machine();
    if (++m.at_barrier == m.alive) {
        m.at_barrier = 0;
        for (unsigned t = 0; t < m.threads; ++t) m.fibers[t]->waiting = false;
        return;
    }
    m.current->waiting = true;
    while (m.current->waiting) yield();
}

/// All 32 lanes hand in a value and may then read everybody's.
template <class T>
const unsigned char (*exchange(const T& value, const char* what)) [kSlotBytes] {
    static_assert(sizeof(T) <= kSlotBytes);
    Machine& m = machine();
    Fiber& fiber = *m.current;
    Warp& warp = m.warps[fiber.thread / kLanes];
    auto& slots = warp.slots[fiber.exchanges++ % 2];
    std::memcpy(slots[fiber.thread % kLanes], &value, sizeof value);
    if (warp.arrived == 0) warp.what = what;
    if (warp.what != what && std::strcmp(warp.what, what)) fail("lanes of a warp are at different exchanges");
    if (++warp.arrived == kLanes) {
        warp.arrived = 0;
        for (int lane = 0; lane < kLanes; ++lane) m.fibers[fiber.thread / kLanes * kLanes + lane]->waiting = false;
    } else {
        fiber.waiting = true;
        while (fiber.waiting) yield();
    }
    return slots;
}

template <class T>
T lane_value(const unsigned char (*slots)[kSlotBytes], int lane) {
    T value;
    std::memcpy(&value, slots[lane], sizeof value);
    return value;
}

inline void run_block(unsigned threads) {
    Machine& m = machine();
    while (m.fibers.size() < threads) m.fibers.push_back(std::make_unique<Fiber>());
    m.warps.assign((threads + kLanes - 1) / kLanes, Warp{});
    m.threads = m.alive = threads;
    m.at_barrier = 0;
    std::vector<unsigned> order(threads);
    for (unsigned t = 0; t < threads; ++t) {
        Fiber& fiber = *m.fibers[t];
        fiber.started = fiber.done = fiber.waiting = false;
        fiber.thread = t;
        fiber.exchanges = 0;
        fiber.copies.assign(1, {});
        getcontext(&fiber.start);
        fiber.start.uc_stack.ss_sp = fiber.stack.get();
        fiber.start.uc_stack.ss_size = kStackBytes;
        fiber.start.uc_link = nullptr;
        makecontext(&fiber.start, run_fiber, 0);
        order[t] = t;
    }
    while (m.alive) {
        std::shuffle(order.begin(), order.end(), m.random);
        bool moved = false;
        for (unsigned t : order) {
            Fiber& fiber = *m.fibers[t];
            if (fiber.done || fiber.waiting) continue;
            moved = true;
            resume(fiber);
            if (!fiber.done) continue;
            --m.alive;
            if (m.alive && m.at_barrier == m.alive) {
                m.at_barrier = 0;
                for (unsigned other = 0; other < threads; ++other) m.fibers[other]->waiting = false;
            }
        }
        if (!moved) fail("nobody can go on");
    }
}

template <class Kernel, class... Arguments>
void run_grid(Kernel kernel, dim3 grid, unsigned threads, size_t shared_bytes, const Arguments&... arguments) {
    Machine& m = machine();
    m.grid = grid;
    m.body = [&] { kernel(arguments...); };
    for (unsigned y = 0; y < grid.y; ++y) {
        for (unsigned x = 0; x < grid.x; ++x) {
            m.block = {x, y, 0};
            m.shared.assign(shared_bytes + 16, 0xff);  // NaN, whatever type it is read as
            run_block(threads);
        }
    }
}

struct ThreadIndex {
    unsigned x;
};

}  // namespace emulation

#define threadIdx (emulation::ThreadIndex{emulation::machine().current->thread})
#define blockIdx (emulation::machine().block)
#define gridDim (emulation::machine().grid)

inline void __syncthreads() {
    emulation::block_barrier();
}
inline void __syncwarp() {
    emulation::exchange(0, "syncwarp");
}

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
    const auto slots = emulation::exchange(value, "shfl");
    return emulation::lane_value<T>(slots, int(threadIdx.x % 32) ^ mask);
}

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
    return emulation::lane_value<T>(emulation::exchange(value, "shfl"), lane);
}
template <class T>
T __shfl_down_sync(unsigned, T value, int offset) {
    const auto slots = emulation::exchange(value, "shfl");
    const int lane = int(threadIdx.x % 32);
    return emulation::lane_value<T>(slots, lane + offset < 32 ? lane + offset : lane);
}

inline unsigned __ballot_sync(unsigned, bool value) {
    const auto slots = emulation::exchange(value, "ballot");
    unsigned votes = 0;
    for (int lane = 0; lane < 32; ++lane) votes |= unsigned(emulation::lane_value<bool>(slots, lane)) << lane;
    return votes;
}
inline bool __all_sync(unsigned mask, bool value) {
    return __ballot_sync(mask, value) == 0xffffffffu;
}
inline unsigned __reduce_add_sync(unsigned, unsigned value) {
    const auto slots = emulation::exchange(value, "reduce");
    unsigned sum = 0;
    for (int lane = 0; lane < 32; ++lane) sum += emulation::lane_value<unsigned>(slots, lane);
    return sum;
}
inline int __popc(unsigned value) {
    return __builtin_popcount(value);
}
inline int __ffsll(long long value) {
    return __builtin_ffsll(value);
}

template <class T>
T atomicAdd(T* address, T value) {
    const T before = *address;
    *address += value;
    return before;
}

template <class T>
T atomicExch(T* address, T value) {
    const T before = *address;
    *address = value;
    return before;
}

inline cudaError_t cudaGetLastError() {
    return cudaSuccess;
}
inline const char* cudaGetErrorName(cudaError_t) {
    return "";
}
inline const char* cudaGetErrorString(cudaError_t) {
    return "";
}
inline cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t) {
    std::memset(to, value, bytes);
    return cudaSuccess;
}
inline cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int) {
    return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    *value = attribute == cudaDevAttrMultiProcessorCount ? emulation::machine().processors
                                                         : emulation::machine().shared_limit;
    return cudaSuccess;
}
template <class Kernel>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Kernel, int, size_t) {
    *blocks = 1;
    return cudaSuccess;
}
template <class Kernel>
cudaError_t cudaFuncSetAttribute(Kernel, cudaFuncAttribute, int bytes) {
    return bytes <= emulation::machine().shared_limit ? cudaSuccess : 1;
}

namespace rote {

template <class... Parameters, class... Arguments>
void launch_grid(void (*kernel)(Parameters...), int64_t columns, int64_t rows, int threads, size_t shared_bytes,
                 cudaStream_t, const Arguments&... arguments) {
    emulation::run_grid(kernel, {unsigned(columns), unsigned(rows), 1}, unsigned(threads), shared_bytes, arguments...);
}

inline uint8_t* dynamic_shared() {
    return reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(emulation::machine().shared.data()) + 15) / 16 * 16);
}

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
    const int lane = int(threadIdx.x % 32);
    for (int matrix = 0; matrix < 4; ++matrix) {
        const auto from = emulation::lane_value<const uint8_t*>(slots, matrix * 8 + lane / 4);
        std::memcpy(&out[matrix], from + lane % 4 * 4, 4);
    }
    __syncwarp();  // nobody overwrites what another lane still reads
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
    const int lane = int(threadIdx.x % 32);
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
