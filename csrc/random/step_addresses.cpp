// random/step_addresses.cpp: the addresses of training steps on the CPU.
#include "random/step.h"
#include "rote/error.h"
#include "runtime/parallel.h"

namespace rote {

void check_step_order(const StepOrder& order, int64_t steps) {
    ROTE_CHECK_ARG(order.num_images >= 1 && uint64_t(order.num_images) <= kMaxImages,
                   "num_images: wanted a number in [1, 2^40], got ", order.num_images);
    ROTE_CHECK_ARG(order.batch_size >= 1 && order.batch_size <= order.num_images, "batch_size: wanted a number in [1, ",
                   order.num_images, "] (the number of images), got ", order.batch_size);
    ROTE_CHECK_ARG(order.pool >= 0 && order.pool <= int64_t(1) << 31, "pool: wanted a number in [0, 2^31], got ",
                   order.pool);
    ROTE_CHECK_ARG(steps >= 1 && steps <= (int64_t(1) << 38) / order.batch_size,
                   "steps: wanted at least 1 and at most 2^38 samples, got ", steps);
}

void step_addresses(const StepOrder& order, const int64_t* step, int64_t steps, int64_t* ids, int64_t* views,
                    int num_threads) {
    check_step_order(order, steps);
    const int64_t first = *step, steps_per_epoch = order.num_images / order.batch_size;
    ROTE_CHECK_ARG(
        first >= 0 && first <= INT64_MAX - steps && uint64_t((first + steps - 1) / steps_per_epoch) < kTrainedViews,
        "step: wanted at least 0 and epochs (of ", steps_per_epoch, " steps) below 2^47, got ", first);
    parallel_for(steps * order.batch_size, 4096, num_threads, [&](int64_t begin, int64_t end, int) {
        for (int64_t j = begin; j < end; ++j) {
            const int64_t k = j / order.batch_size;
            const SampleAddress sample = sample_of_step(order, first + k, j - k * order.batch_size);
            ids[j] = sample.id;
            views[j] = sample.view;
        }
    });
}

}  // namespace rote
