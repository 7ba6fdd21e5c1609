// knn/cuda/mma.cuh: the sm_80 instructions of the matrix pass: fragment loads, the 16 x 8 x 16 product, and
// asynchronous copies (runtime/copy_async.cuh). Layouts: PTX ISA, "Matrix fragments for mma.m16n8k16 with floating
// point type", "ldmatrix".
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "runtime/copy_async.cuh"

namespace rote {

#if defined(__CUDACC__)

/// Four 8 x 8 matrices of 16-bit elements; lane l names row l % 8 of matrix l / 8.
__device__ __forceinline__ void load_matrices(uint32_t (&out)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(uint32_t(__cvta_generic_to_shared(row)))
                 : "memory");
}

/// sums += a b, a 16 x 16, b 16 x 8 (its two registers hold depth 0-7 and 8-15), fp16 in, fp32 sums.
__device__ __forceinline__ void multiply_add(float (&sums)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#endif

}  // namespace rote
