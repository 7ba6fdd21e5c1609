// bindings/knn.cpp: the k-NN engine.
#include "bindings/register.h"

namespace rote {

void register_knn(pybind11::module_&) {}

}  // namespace rote
