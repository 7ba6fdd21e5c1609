// runtime/peak.cpp: times the peak loops on a team of threads.
#include "runtime/peak.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>

#include "rote/error.h"
#include "runtime/float_env.h"
#include "runtime/peak_loops.h"

namespace rote {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSeconds = 0.06;
constexpr double kWindow = 1e-3;  // shorter than what a scheduler gives a neighbour
constexpr size_t kReadBytes = size_t(1) << 28, kReadPiece = size_t(1) << 25;
constexpr int kReadPasses = 4;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

const PeakLoops& loops_of(SimdLevel level) {
#if defined(ROTE_X86)
    if (level == SimdLevel::avx512) return peak_loops_avx512();
    if (level == SimdLevel::avx2) return peak_loops_avx2();
#endif
    (void)level;
    return peak_loops_baseline();
}

/// Operations per second of a team: every thread's own best window while all of them work, summed. A neighbour that
/// takes a core for a while costs windows; where two threads share a core the sum is too high rather than too low.
double arithmetic_rate(const ArithmeticLoop& loop, int num_threads) {
    int64_t turns = 1000;
    for (;; turns *= 2) {
        const auto begin = Clock::now();
        loop.run(turns);
        if (seconds_since(begin) >= kWindow) break;
    }
    double rate = 0;
#pragma omp parallel num_threads(num_threads) reduction(+ : rate)
    {
        FloatEnvironment environment;
#pragma omp barrier
        double shortest = 1e300;
        for (const auto all = Clock::now(); seconds_since(all) < kSeconds;) {
            const auto begin = Clock::now();
            loop.run(turns);
            shortest = std::min(shortest, seconds_since(begin));
        }
        rate += loop.operations_per_turn * double(turns) / shortest;
    }
    return rate;
}

/// Bytes per second of a team that shares the memory: the best piece, from the first thread's start to the last one's
/// end. Pieces follow one another through a buffer that no cache holds.
double read_rate(const PeakLoops& loops, int num_threads) {
    const std::unique_ptr<char[]> buffer(new char[kReadBytes]);
    double shortest = 1e300;
#pragma omp parallel num_threads(num_threads)
    {
        const size_t threads = size_t(omp_get_num_threads()), thread = size_t(omp_get_thread_num());
        const size_t grains = kReadPiece / kReadGrain;
        const size_t begin = grains * thread / threads * kReadGrain, end = grains * (thread + 1) / threads * kReadGrain;
        // Pages come into being where they are written; untouched ones would all be the one page of zeros.
        for (size_t piece = 0; piece < kReadBytes; piece += kReadPiece)
            std::fill(buffer.get() + piece + begin, buffer.get() + piece + end, char(1));
        for (int pass = 0; pass < kReadPasses; ++pass)
            for (size_t piece = 0; piece < kReadBytes; piece += kReadPiece) {
#pragma omp barrier
                const auto start = Clock::now();
                uint64_t sum = loops.read(buffer.get() + piece + begin, end - begin);
                asm volatile("" : "+r"(sum));
#pragma omp barrier
                if (thread == 0) shortest = std::min(shortest, seconds_since(start));
            }
    }
    return double(kReadPiece) / shortest;
}

}  // namespace

std::vector<std::string> peak_kinds(SimdLevel level) {
    std::vector<std::string> kinds;
    for (const ArithmeticLoop* loop = loops_of(level).arithmetic; loop->kind; ++loop)
        if (loop->supported()) kinds.push_back(loop->kind);
    kinds.push_back("read");
    return kinds;
}

double measure_peak(const std::string& kind, int num_threads, SimdLevel level) {
    ROTE_CHECK_ARG(num_threads >= 1, "num_threads: wanted at least 1, got ", num_threads);
    const PeakLoops& loops = loops_of(level);
    if (kind == "read") return read_rate(loops, num_threads);
    for (const ArithmeticLoop* loop = loops.arithmetic; loop->kind; ++loop)
        if (kind == loop->kind && loop->supported()) return arithmetic_rate(*loop, num_threads);
    std::string known;
    for (const std::string& name : peak_kinds(level)) known += (known.empty() ? "" : ", ") + name;
    throw ArgumentError(
        concat("kind: this CPU has ", known, " at level ", simd_level_name(level), ", got '", kind, "'"));
}

}  // namespace rote
