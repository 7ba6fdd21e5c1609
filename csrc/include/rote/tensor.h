// rote/tensor.h: a view of memory somebody else owns: pointer, dtype, shape and strides in elements.
#pragma once

#include <cstdint>

#include "rote/dtype.h"

namespace rote {

/// [rows, columns], any row stride, unit column stride.
struct MatrixView {
    const void* data = nullptr;
    DType dtype = DType::float32;
    int64_t rows = 0;
    int64_t columns = 0;
    int64_t row_stride = 0;

    template <class T>
    ROTE_HD const T* row(int64_t index) const {
        return static_cast<const T*>(data) + index * row_stride;
    }
};

/// [N, C, H, W] in logical order; strides say how it lies in memory (planar, channels-last, a slice, ...).
template <class T>
struct ImageView {
    T* data = nullptr;
    int64_t count = 0;
    int32_t channels = 0, height = 0, width = 0;
    int64_t stride_n = 0, stride_c = 0, stride_h = 0, stride_w = 0;

    ROTE_HD T* at(int64_t n, int32_t c, int32_t y, int32_t x) const {
        return data + n * stride_n + c * stride_c + y * stride_h + x * stride_w;
    }
};

}  // namespace rote
