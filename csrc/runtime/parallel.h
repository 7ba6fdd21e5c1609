// runtime/parallel.h: loops over items on the OpenMP pool of the process (torch's own, once torch is loaded).
#pragma once

#include <omp.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#if defined(__SANITIZE_THREAD__)
#include <thread>
#include <vector>
#endif

#include "runtime/float_env.h"

namespace rote {

/// Calls fn(begin, end, thread) for pieces of [0, count) of at most `grain` items, handed out in order as
/// threads become free. One piece, one thread or a caller that is itself a worker runs inline, without the
/// pool. Every piece runs in FloatEnvironment. The first exception of a piece is rethrown to the caller.
template <class Fn>
void parallel_for(int64_t count, int64_t grain, int num_threads, Fn&& fn) {
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    const int64_t pieces = (count + grain - 1) / grain;
    if (num_threads > pieces) num_threads = int(pieces);
    if (num_threads <= 1 || omp_in_parallel()) {
        FloatEnvironment environment;
        for (int64_t piece = 0; piece < pieces; ++piece) {
            const int64_t begin = piece * grain;
            fn(begin, begin + grain < count ? begin + grain : count, 0);
        }
        return;
    }
    std::atomic<int64_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto work = [&](int thread) {
        FloatEnvironment environment;
        for (int64_t piece; (piece = next.fetch_add(1, std::memory_order_relaxed)) < pieces;) {
            try {
                const int64_t begin = piece * grain;
                fn(begin, begin + grain < count ? begin + grain : count, thread);
            } catch (...) {
                const std::lock_guard<std::mutex> lock(failure_mutex);
                if (!failure) failure = std::current_exception();
            }
        }
    };
#if defined(__SANITIZE_THREAD__)
    // libgomp's barriers are invisible to ThreadSanitizer, which would report every join as a race.
    std::vector<std::thread> team;
    for (int thread = 1; thread < num_threads; ++thread) team.emplace_back(work, thread);
    work(0);
    for (std::thread& member : team) member.join();
#else
#pragma omp parallel num_threads(num_threads)
    work(omp_get_thread_num());
#endif
    if (failure) std::rethrow_exception(failure);
}

}  // namespace rote
