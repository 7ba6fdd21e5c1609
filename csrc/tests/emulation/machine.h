// tests/emulation/machine.h: the threads of a block on the CPU, lane by lane: fibers that switch at barriers and warp
// exchanges, in random order; a warp exchange that a lane misses is an error. Finds what logic can get wrong, not what
// memory models can.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

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

}  // namespace emulation
