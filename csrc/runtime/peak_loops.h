// runtime/peak_loops.h: the loops that peak.cpp times, one table per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rote {

/// `run(turns)` does turns * operations_per_turn operations in registers.
struct ArithmeticLoop {
    const char* kind;  // nullptr ends a table
    double operations_per_turn;
    void (*run)(int64_t turns);
    bool (*supported)();  // beyond what the level promises
};

struct PeakLoops {
    const ArithmeticLoop* arithmetic;
    /// Reads [data, data + bytes) once, bytes a multiple of kReadGrain; the result only keeps the reads alive.
    uint64_t (*read)(const void* data, size_t bytes);
};

constexpr size_t kReadGrain = 4096;

// Independent sums: two issued per cycle, each at most five cycles deep, leave room.
constexpr int kSums = 12;

const PeakLoops& peak_loops_baseline();
const PeakLoops& peak_loops_avx2();
const PeakLoops& peak_loops_avx512();

}  // namespace rote

/// Tells the compiler that `x` may have changed, without an instruction, so that nothing is hoisted out of a loop.
/// (Emulated vectors fit no register.)
#if defined(__x86_64__) && !defined(ROTE_EMULATE_AVX512)
#define ROTE_OPAQUE(x) asm volatile("" : "+v"(x))
#elif defined(__aarch64__)
#define ROTE_OPAQUE(x) asm volatile("" : "+w"(x))
#else
#define ROTE_OPAQUE(x) asm volatile("" : "+m"(x))
#endif
