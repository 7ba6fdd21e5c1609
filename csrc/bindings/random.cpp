// bindings/random.cpp: words of the address space.
#include "rote/random.h"
#include "bindings/register.h"
#include "rote/philox.h"

namespace py = pybind11;

namespace rote {
namespace {

StepOrder make_order(uint64_t seed, int64_t num_images, int64_t batch_size, int64_t pool, uintptr_t subset) {
    return {seed, num_images, batch_size, pool, pointer<const int64_t>(subset)};
}

}  // namespace

void register_random(py::module_& module) {
    module.def(
        "address_words",
        [](uint64_t seed, uintptr_t images, uintptr_t views, int64_t count, int64_t stream, int64_t slot, uintptr_t out,
           int num_threads) {
            address_words(seed, pointer<const int64_t>(images), pointer<const int64_t>(views), count, stream, slot,
                          pointer<int64_t>(out), num_threads);
        },
        py::arg("seed"), py::arg("images"), py::arg("views"), py::arg("count"), py::arg("stream"), py::arg("slot"),
        py::arg("out"), py::arg("num_threads"), py::call_guard<py::gil_scoped_release>());
    module.def(
        "step_addresses",
        [](uint64_t seed, int64_t num_images, int64_t batch_size, int64_t pool, uintptr_t subset, uintptr_t step,
           int64_t steps, uintptr_t ids, uintptr_t views, int num_threads) {
            step_addresses(make_order(seed, num_images, batch_size, pool, subset), pointer<const int64_t>(step), steps,
                           pointer<int64_t>(ids), pointer<int64_t>(views), num_threads);
        },
        py::arg("seed"), py::arg("num_images"), py::arg("batch_size"), py::arg("pool"), py::arg("subset"),
        py::arg("step"), py::arg("steps"), py::arg("ids"), py::arg("views"), py::arg("num_threads"),
        py::call_guard<py::gil_scoped_release>());
    module.def(
        "step_addresses_cuda",
        [](uint64_t seed, int64_t num_images, int64_t batch_size, int64_t pool, uintptr_t subset, uintptr_t step,
           int64_t steps, uintptr_t ids, uintptr_t views, uintptr_t stream, int device) {
            step_addresses_cuda(make_order(seed, num_images, batch_size, pool, subset), pointer<const int64_t>(step),
                                steps, pointer<int64_t>(ids), pointer<int64_t>(views), pointer<void>(stream), device);
        },
        py::arg("seed"), py::arg("num_images"), py::arg("batch_size"), py::arg("pool"), py::arg("subset"),
        py::arg("step"), py::arg("steps"), py::arg("ids"), py::arg("views"), py::arg("stream"), py::arg("device"),
        py::call_guard<py::gil_scoped_release>());
    module.def(
        "philox4x32_10",
        [](uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
            const Philox4x32 block = philox4x32_10(c0, c1, c2, c3, k0, k1);
            return py::make_tuple(block.word[0], block.word[1], block.word[2], block.word[3]);
        },
        "One Philox4x32-10 block: four counter words and two key words, least significant first.");
}

}  // namespace rote
