// augment/cuda/fast_load.cuh: the bytes of a view's image on their way onto the chip, ahead of their view.
#pragma once

#include "augment/cuda/fast_job.h"
#include "runtime/copy_async.cuh"

namespace rote {
namespace {

/// Starts bringing an image of the bank into `to`: one contiguous copy where the bank allows it.
template <class Team>
__device__ __forceinline__ void fetch_image(const FastJob& job, int64_t id, uint8_t* to, const Team& team) {
    const ImageView<const uint8_t>& images = job.job.images;
    const uint8_t* const from = images.data + id * images.stride_n;
    const int32_t plane = images.height * images.width, count = images.channels * plane;
    if (job.copies) {
        for (int32_t i = team.rank * 16; i < count; i += team.size() * 16) copy_async_16(to + i, from + i);
    } else {
        for (int32_t i = team.rank; i < count; i += team.size()) {
            const int32_t c = i / plane, y = (i - c * plane) / images.width, x = i % images.width;
            to[i] = from[c * images.stride_c + y * images.stride_h + x * images.stride_w];
        }
    }
}

/// The image of a view, if there is such a view.
template <class Team>
__device__ __forceinline__ void fetch_view(const FastJob& job, int64_t view, uint8_t* to, const Team& team) {
    if (view < job.job.batch.count && view_is_good(job.job, view)) fetch_image(job, job.job.batch.ids[view], to, team);
    commit_copies();
}

/// All bytes fetched before are there, for every thread.
template <class Team>
__device__ __forceinline__ void await_image(const Team& team) {
    wait_copies<0>();
    team.sync();
}

}  // namespace
}  // namespace rote
