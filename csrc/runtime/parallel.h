// runtime/parallel.h: loops over items on the OpenMP pool of the process (torch's own, once torch is loaded).
#pragma once

#include <omp.h>

#include <cstdint>
#include <exception>

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
    std::exception_ptr failure;
#pragma omp parallel num_threads(num_threads)
    {
        FloatEnvironment environment;
        const int thread = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
        for (int64_t piece = 0; piece < pieces; ++piece) {
            try {
                const int64_t begin = piece * grain;
                fn(begin, begin + grain < count ? begin + grain : count, thread);
            } catch (...) {
#pragma omp critical(rote_parallel_failure)
                if (!failure) failure = std::current_exception();
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace rote
