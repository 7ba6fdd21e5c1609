// knn/cuda/hopper_tensor_map.h: how the copy engine sees packed rows. The driver's encoder is looked up at run time, so
// that nothing links to libcuda and the package imports without a driver.
#pragma once

#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "knn/cuda/hopper_layout.h"
#include "rote/error.h"

namespace rote::hopper {

/// cuTensorMapEncodeTiled of the driver; null where the driver is too old or absent.
inline decltype(&cuTensorMapEncodeTiled) tensor_map_encoder() {
    static const auto encoder = [] {
        void* entry = nullptr;
        cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
        const cudaError_t status =
            cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, 12000, cudaEnableDefault, &found);
        if (status != cudaSuccess) cudaGetLastError();  // not an error of the caller
        const bool usable = status == cudaSuccess && found == cudaDriverEntryPointSuccess;
        return usable ? reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(entry) : nullptr;
    }();
    return encoder;
}

/// fp16 rows [rows, width], row-major and 16-byte aligned, copied in boxes of `box_rows` x 64 with 128-byte swizzling.
inline CUtensorMap packed_rows_map(const uint16_t* data, int64_t rows, int64_t width, int box_rows) {
    const cuuint64_t sizes[2] = {cuuint64_t(width), cuuint64_t(rows)};
    const cuuint64_t strides[1] = {cuuint64_t(width) * 2};
    const cuuint32_t box[2] = {cuuint32_t(kChunkWidth), cuuint32_t(box_rows)};
    const cuuint32_t element_strides[2] = {1, 1};
    CUtensorMap map;
    const CUresult status =
        tensor_map_encoder()(&map, CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 2, const_cast<uint16_t*>(data), sizes, strides, box,
                             element_strides, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (status != CUDA_SUCCESS)
        throw DeviceError(concat("cuTensorMapEncodeTiled failed with CUresult ", int(status), " for ", rows,
                                 " rows of ", width, " halves"));
    return map;
}

}  // namespace rote::hopper
