// bindings/augment.cpp: the augmentation engine.
#include "bindings/register.h"

namespace rote {

void register_augment(pybind11::module_&) {}

}  // namespace rote
