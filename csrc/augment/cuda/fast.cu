// augment/cuda/fast.cu: launches of the fast kernel.
#include "augment/cuda/fast.cuh"

#include <cmath>

#include "augment/cuda/fast_kernel.cuh"
#include "augment/cuda/simple_memory.h"

namespace rote {
namespace {

constexpr int64_t kLargestPlace = int64_t(1) << 30;

/// Every remainder and quotient of divide_quick stays far from underflow if pixels are 0 or moderate numbers after
/// the subtraction, which means this large see to.
NormalizeFactors factors_of(const AugmentStep& step) {
    NormalizeFactors factors{};
    factors.quick = 1;
    for (int c = 0; c < 3; ++c) {
        factors.mean[c] = float(step.constants[c]);
        factors.std[c] = float(step.constants[3 + c]);
        factors.reciprocal[c] = 1.0f / factors.std[c];
        const auto moderate = [](float x) { return x > 0x1p-20f && x < 0x1p20f; };
        if (!moderate(factors.mean[c]) || !moderate(factors.std[c])) factors.quick = 0;
    }
    return factors;
}

bool copies_apply(const ImageView<const uint8_t>& images) {
    const int64_t plane = int64_t(images.height) * images.width;
    return images.stride_w == 1 && images.stride_h == images.width && images.stride_c == plane &&
           images.channels * plane % 16 == 0 && images.stride_n % 16 == 0 &&
           reinterpret_cast<uintptr_t>(images.data) % 16 == 0;
}

bool wide_stores_apply(const DeviceJob& job, int32_t team) {
    const AugmentPlan& plan = job.plan;
    const int64_t* const strides = job.output.strides;
    const int64_t bytes = job.output.dtype == DType::float32 ? 4 : 2;
    return plan.channels == 3 && strides[1] == 1 && strides[3] == 3 && strides[2] == 3 * int64_t(plan.out_width) &&
           plan.out_width <= team && plan.out_height % kFastRows == 0 && kFastRows * strides[2] * bytes % 16 == 0 &&
           strides[0] * bytes % 16 == 0 && reinterpret_cast<uintptr_t>(job.output.data) % 16 == 0;
}

void check_places(const char* name, const int64_t (&extents)[3], const int64_t (&strides)[3]) {
    int64_t reach = 0;
    for (int i = 0; i < 3; ++i) reach += (extents[i] - 1) * (strides[i] < 0 ? -strides[i] : strides[i]);
    ROTE_CHECK_ARG(reach < kLargestPlace, name, ": wanted strides within 2^30 elements of an image, got ", reach);
}

int attribute(cudaDeviceAttr which) {
    int device = 0, value = 0;
    ROTE_CUDA_CHECK(cudaGetDevice(&device));
    ROTE_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, device));
    return value;
}

template <bool kWarpTeam, int C, int K, bool kOnChip>
void launch_fast(FastJob& job, cudaStream_t stream) {
    const auto kernel = render_fast_kernel<kWarpTeam, C, K, kOnChip>;
    const FastPlan& fast = job.fast;
    job.seat_bytes = fast_seat_bytes(fast, kOnChip);
    const size_t shared = size_t(job.seat_bytes * fast.seats);
    const int threads = fast.team * fast.seats;
    ROTE_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared)));
    int resident = 0;
    ROTE_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, threads, shared));
    int64_t blocks = int64_t(resident > 1 ? resident : 1) * attribute(cudaDevAttrMultiProcessorCount);
    if (!kOnChip && fast.plane_bytes > 0 && blocks > kMaxFastWorkspaceTeams) blocks = kMaxFastWorkspaceTeams;
    const int64_t count = job.job.batch.count, filled = (count + fast.seats - 1) / fast.seats;
    blocks = blocks < filled ? blocks : filled;
    const int64_t teams = blocks * fast.seats, share = (count + teams - 1) / teams;
    job.chunk = int32_t(share < fast.most_rows ? share : fast.most_rows);
    launch(kernel, blocks, threads, shared, stream, job);
}

template <int C, int K>
void launch_with(FastJob& job, bool on_chip, cudaStream_t stream) {
    if (job.fast.team == kWarpLanes) return launch_fast<true, C, K, true>(job, stream);
    if (on_chip) return launch_fast<false, C, K, true>(job, stream);
    return launch_fast<false, C, K, false>(job, stream);
}

}  // namespace

void render_fast(const DeviceJob& job, const FastPlan& fast, void* workspace, cudaStream_t stream) {
    const AugmentPlan& plan = job.plan;
    const int64_t* const out = job.output.strides;
    check_places("images", {plan.channels, plan.in_height, plan.in_width},
                 {job.images.stride_c, job.images.stride_h, job.images.stride_w});
    check_places("out", {plan.channels, plan.out_height, plan.out_width}, {out[1], out[2], out[3]});
    const bool wide = wide_stores_apply(job, fast.team);
    FastPlan laid = fast;  // rows are staged for wide stores alone
    laid.stage_bytes = wide ? fast.stage_bytes * (job.output.dtype == DType::float32 ? 4 : 2) / 4 : 0;
    FastJob fast_job{job, laid, 0, 1, copies_apply(job.images), wide, static_cast<uint8_t*>(workspace), {}};
    for (int32_t s = 0; s < plan.num_steps; ++s)
        if (plan.steps[s].kind == AugmentKind::normalize) fast_job.normalize[s] = factors_of(plan.steps[s]);
    // Large images without planes are read where they lie: more blocks are worth more than their bytes on the chip.
    const int64_t room = fast.plane_bytes > 0 ? attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin) : kMaxSharedBytes;
    const bool on_chip = fast_seat_bytes(laid, true) * laid.seats <= room;
    if (plan.channels == 1) return launch_with<1, 8>(fast_job, on_chip, stream);
    if (fast.taps == 2) return launch_with<3, 2>(fast_job, on_chip, stream);
    return launch_with<3, 8>(fast_job, on_chip, stream);
}

}  // namespace rote
