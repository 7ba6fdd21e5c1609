// bindings/module.cpp: the extension rote._native. One register function per engine; no logic here.
#include "bindings/register.h"

PYBIND11_MODULE(_native, module, pybind11::mod_gil_not_used()) {
    module.doc() = "Rote's native core. Use the public functions of `rote`; pointers are not checked here.";
    rote::register_runtime(module);
    rote::register_random(module);
    rote::register_augment(module);
    rote::register_knn(module);
    rote::register_vote(module);
    rote::register_row_hash(module);
    rote::register_record(module);
}
