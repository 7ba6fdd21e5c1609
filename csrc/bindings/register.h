// bindings/register.h: what each binding file adds to rote._native.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

namespace rote {

void register_runtime(pybind11::module_& module);
void register_random(pybind11::module_& module);
void register_augment(pybind11::module_& module);
void register_knn(pybind11::module_& module);
void register_vote(pybind11::module_& module);
void register_row_hash(pybind11::module_& module);
void register_record(pybind11::module_& module);

/// Tensors cross as integers: `data_ptr()` in Python, a typed pointer here.
template <class T>
T* pointer(uintptr_t address) {
    return reinterpret_cast<T*>(address);
}

}  // namespace rote
