// rote/random.h: the address space for the Python side: words in bulk, and the samples of training steps.
#pragma once

#include <cstdint>

namespace rote {

/// out[i] = word of slot `slot` of (seed, images[i], views[i], stream). Out-of-range ids, views, streams and
/// slots are ArgumentErrors that name the first offender.
void address_words(uint64_t seed, const int64_t* images, const int64_t* views, int64_t count, int64_t stream,
                   int64_t slot, int64_t* out, int num_threads);

/// How training steps walk through images: a keyed permutation an epoch, in whole batches (docs/addressing.md).
struct StepOrder {
    uint64_t seed = 0;                ///< of the order and of the pool
    int64_t num_images = 0;           ///< shown once an epoch
    int64_t batch_size = 0;           ///< at most num_images
    int64_t pool = 0;                 ///< views per image to draw from; 0: the view is the number of the epoch
    const int64_t* subset = nullptr;  ///< [num_images] their ids; null: 0 .. num_images - 1
};

/// Throws ArgumentError for sizes that mean nothing.
void check_step_order(const StepOrder& order, int64_t steps);

/// Ids and views, each [steps * batch_size], of the consecutive steps from *step on.
void step_addresses(const StepOrder& order, const int64_t* step, int64_t steps, int64_t* ids, int64_t* views,
                    int num_threads);

/// The same on a CUDA device, which is made current for the call; all pointers are device pointers. The step is read
/// by the kernel, so nothing is synchronized, and a captured graph shows the step that stands there at its replay. A
/// step out of range has ids and views -1.
void step_addresses_cuda(const StepOrder& order, const int64_t* step, int64_t steps, int64_t* ids, int64_t* views,
                         void* stream, int device);

}  // namespace rote
