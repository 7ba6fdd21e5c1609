// augment/cuda/fast_kernel.cuh: the kernel itself: teams walk over the views of the batch, chunk by chunk.
#pragma once

#include "augment/cuda/fast_load.cuh"
#include "augment/cuda/fast_steps.cuh"
#include "augment/sampling/draw.h"

namespace rote {
namespace {

__device__ __forceinline__ FastMemory memory_of(const FastJob& job, int32_t seat, bool on_chip, int64_t team_number) {
    const FastPlan& fast = job.fast;
    uint8_t* at = dynamic_shared() + seat * job.seat_bytes;
    FastMemory memory;
    memory.rows = reinterpret_cast<int32_t*>(at);
    at += fast.row_bytes;
    memory.ops = reinterpret_cast<float*>(at);
    at += fast.op_bytes;
    memory.taps = reinterpret_cast<float*>(at);
    at += fast.tap_bytes;
    memory.stage = at;
    at += fast.stage_bytes;
    memory.bytes = at;
    at += (fast.buffers + (fast.mixing_step >= 0)) * fast.image_bytes;
    memory.planes = reinterpret_cast<float*>(on_chip ? at : job.workspace + team_number * fast.plane_bytes);
    memory.partner = memory.planes + fast.plane_sets * job.job.plan.channels * fast.plane_floats;
    return memory;
}

/// Not inline: dear in registers, and once per view.
__device__ __noinline__ void draw_view(const FastJob& job, int64_t view, int32_t* row) {
    const AugmentBatch& batch = job.job.batch;
    draw_row(job.job.plan, batch.seed, uint64_t(batch.address_id(view)), uint64_t(batch.views[view]), row);
}

/// Parameters of `count` views, a thread for each; given ones are copied.
template <class Team>
__device__ __forceinline__ void draw_rows(const FastJob& job, int64_t first, int32_t count, int32_t* rows,
                                          const Team& team) {
    const AugmentPlan& plan = job.job.plan;
    const AugmentBatch& batch = job.job.batch;
    if (batch.rows) {
        for (int32_t w = team.rank; w < count * plan.row_words; w += team.size())
            rows[w] = batch.rows[first * plan.row_words + w];
    } else if (team.rank < count && view_is_good(job.job, first + team.rank)) {
        draw_view(job, first + team.rank, rows + team.rank * plan.row_words);
    }
}

template <bool kOnChip>
__device__ __forceinline__ Source image_of(const FastJob& job, int64_t id, const uint8_t* bytes) {
    const ImageView<const uint8_t>& images = job.job.images;
    Source source{};
    source.height = images.height;
    source.width = images.width;
    if (kOnChip) {
        source.bytes = bytes;
        source.stride_c = images.height * images.width;
        source.stride_h = images.width;
        source.stride_w = 1;
    } else {
        source.bytes = images.data + id * images.stride_n;
        source.stride_c = int32_t(images.stride_c);
        source.stride_h = int32_t(images.stride_h);
        source.stride_w = int32_t(images.stride_w);
    }
    return source;
}

template <bool kWarpTeam, int C, int K, bool kOnChip>
__global__ void __launch_bounds__(kWarpTeam ? 128 : 256) render_fast_kernel(const __grid_constant__ FastJob job) {
    const Team<kWarpTeam> team(job.fast.team);
    const int32_t seat = kWarpTeam ? int32_t(threadIdx.x) / kWarpLanes : 0;
    const int64_t number = int64_t(blockIdx.x) * job.fast.seats + seat;
    const int64_t stride = int64_t(gridDim.x) * job.fast.seats * job.chunk;
    const FastMemory memory = memory_of(job, seat, kOnChip, number);
    const AugmentPlan& plan = job.job.plan;
    const int64_t count = job.job.batch.count;
    int32_t buffer = 0;
    if (kOnChip) fetch_view(job, number * job.chunk, memory.bytes, team);
    for (int64_t first = number * job.chunk; first < count; first += stride) {
        const int32_t views = int32_t(count - first < job.chunk ? count - first : job.chunk);
        team.sync();  // nobody reads the rows before
        draw_rows(job, first, views, memory.rows, team);
        team.sync();
        for (int32_t i = 0; i < views; ++i) {
            const int64_t view = first + i, next = i + 1 < views ? view + 1 : first + stride;
            uint8_t* const bytes = memory.bytes + buffer * job.fast.image_bytes;
            if (kOnChip) {
                await_image(team);
                if (job.fast.buffers == 2) {
                    buffer ^= 1;
                    fetch_view(job, next, memory.bytes + buffer * job.fast.image_bytes, team);
                }
            }
            bool fetched = job.fast.buffers == 2;
            const int32_t* const row = memory.rows + i * plan.row_words;
            int64_t partner = -1;  // whose image is mixed in
            bool good = view_is_good(job.job, view);
            if (good && job.fast.mixing_step >= 0) {
                const MixParameters mix = mix_parameters(plan.steps[job.fast.mixing_step], row);
                if (mix.acts()) partner = mix.partner;
                good = !mix.acts() || (partner >= 0 && partner < job.job.images.count);
                if (kOnChip && good && partner >= 0) {
                    uint8_t* const to = memory.bytes + job.fast.buffers * job.fast.image_bytes;
                    fetch_image(job, partner, to, team);
                    commit_copies();
                    await_image(team);
                }
            }
            if (!good) store_nothing<C>(job, view, team);
            // The partner first, into planes, then the view.
            for (int32_t turn = partner >= 0 ? 0 : 1; good && turn < 2; ++turn) {
                const bool own = turn == 1;
                const uint8_t* const from = own ? bytes : memory.bytes + job.fast.buffers * job.fast.image_bytes;
                FastView<Team<kWarpTeam>, C, K> pixels(
                    job, team, memory, view, image_of<kOnChip>(job, own ? job.job.batch.ids[view] : partner, from));
                const AugmentStep& mixing = plan.steps[own ? 0 : job.fast.mixing_step];
                render_steps(pixels, own ? row : row + mixing.row_offset + mixing.row_words,
                             own ? plan.num_steps : job.fast.mixing_step, own ? nullptr : memory.partner, [&] {
                                 if (!kOnChip || fetched) return;
                                 fetch_view(job, next, bytes, team);
                                 fetched = true;
                             });
            }
            if (kOnChip && !fetched) fetch_view(job, next, bytes, team);
        }
    }
}

}  // namespace
}  // namespace rote
