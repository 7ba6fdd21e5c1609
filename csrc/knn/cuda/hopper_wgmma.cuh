// knn/cuda/hopper_wgmma.cuh: the tensor-core product of a warpgroup, fp16 operands in shared memory, fp32 sums.
#pragma once

#include <cstdint>

#include "knn/cuda/hopper_layout.h"

#if defined(__CUDACC__)  // otherwise csrc/tests/emulation/hopper.h stands in

namespace rote::hopper {

/// Orders this thread's accesses of accumulator registers before the products that follow.
__device__ __forceinline__ void mma_fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

/// Closes the group of products issued since the last one.
__device__ __forceinline__ void mma_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/// Waits until at most kPending groups are still running.
template <int kPending>
__device__ __forceinline__ void mma_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

// clang-format off
#define ROTE_8(i)                                                                                               \
    "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), \
    "+f"(d[i + 7])
#define ROTE_32(i) ROTE_8(i), ROTE_8(i + 8), ROTE_8(i + 16), ROTE_8(i + 24)

/// d = A B^T + (accumulate ? d : 0): A 64 x 16 and B 128 x 16, both K-major, by the lower words of their descriptors.
__device__ __forceinline__ void mma(float (&d)[64], uint32_t a, uint32_t b, bool accumulate) {
    asm volatile(
        "{\n\t.reg .pred add;\n\t.reg .b64 first, second;\n\tsetp.ne.b32 add, %66, 0;\n\t"
        "mov.b64 first, {%64, %67};\n\tmov.b64 second, {%65, %67};\n\t"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "first, second, add, 1, 1, 0, 0;\n\t}"
        : ROTE_32(0), ROTE_32(32)
        : "r"(a), "r"(b), "r"(int(accumulate)), "n"(kDescriptorHigh));
}

/// The same for B 256 x 16.
__device__ __forceinline__ void mma(float (&d)[128], uint32_t a, uint32_t b, bool accumulate) {
    asm volatile(
        "{\n\t.reg .pred add;\n\t.reg .b64 first, second;\n\tsetp.ne.b32 add, %130, 0;\n\t"
        "mov.b64 first, {%128, %131};\n\tmov.b64 second, {%129, %131};\n\t"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
        "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
        "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
        "first, second, add, 1, 1, 0, 0;\n\t}"
        : ROTE_32(0), ROTE_32(32), ROTE_32(64), ROTE_32(96)
        : "r"(a), "r"(b), "r"(int(accumulate)), "n"(kDescriptorHigh));
}

#undef ROTE_32
#undef ROTE_8
// clang-format on

}  // namespace rote::hopper

#endif
