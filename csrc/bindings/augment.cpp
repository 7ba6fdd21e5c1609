// bindings/augment.cpp: the augmentation engine.
#include "rote/augment.h"

#include <pybind11/stl.h>

#include <array>
#include <tuple>

#include "bindings/register.h"

namespace py = pybind11;

namespace rote {
namespace {

using Op = std::tuple<int, int, std::vector<double>>;
using Strides = std::array<int64_t, 4>;

std::unique_ptr<AugmentProgram> make_program(const std::vector<Op>& ops, int64_t channels, int64_t in_height,
                                             int64_t in_width, int64_t out_height, int64_t out_width) {
    std::vector<AugmentOp> described;
    for (const auto& [kind, occurrence, constants] : ops) described.push_back({kind, occurrence, constants});
    return std::make_unique<AugmentProgram>(described, channels, in_height, in_width, out_height, out_width);
}

AugmentBatch make_batch(uintptr_t ids, uintptr_t address_ids, uintptr_t views, uintptr_t rows, int64_t count,
                        uint64_t seed) {
    AugmentBatch batch;
    batch.ids = pointer<const int64_t>(ids);
    batch.address_ids = pointer<const int64_t>(address_ids);
    batch.views = pointer<const int64_t>(views);
    batch.rows = pointer<const int32_t>(rows);
    batch.count = count;
    batch.seed = seed;
    return batch;
}

ImageView<const uint8_t> make_images(const AugmentProgram& program, uintptr_t images, const Strides& strides,
                                     int64_t count) {
    const AugmentPlan& plan = program.plan();
    return {pointer<const uint8_t>(images),
            count,
            plan.channels,
            plan.in_height,
            plan.in_width,
            strides[0],
            strides[1],
            strides[2],
            strides[3]};
}

AugmentOutput make_output(uintptr_t out, int dtype, const Strides& strides) {
    return {pointer<void>(out), DType(dtype), {strides[0], strides[1], strides[2], strides[3]}};
}

/// What a call on one bank and one kind of output has in common: bound once, so that a call passes pointers alone.
struct BoundRender {
    const AugmentProgram* program;
    ImageView<const uint8_t> images;
    AugmentOutput output;

    void operator()(uintptr_t image_data, uintptr_t ids, uintptr_t address_ids, uintptr_t views, int64_t count,
                    uint64_t seed, uintptr_t out, int num_threads) const {
        static const std::string level = "auto";
        ImageView<const uint8_t> bank = images;
        bank.data = pointer<const uint8_t>(image_data);
        AugmentOutput result = output;
        result.data = pointer<void>(out);
        augment_render(*program, bank, make_batch(ids, address_ids, views, 0, count, seed), result, num_threads, level);
    }
};

}  // namespace

void register_augment(py::module_& module) {
    py::class_<AugmentProgram>(module, "AugmentProgram")
        .def(py::init(&make_program), py::arg("ops"), py::arg("channels"), py::arg("in_height"), py::arg("in_width"),
             py::arg("out_height"), py::arg("out_width"))
        .def_property_readonly("row_words", &AugmentProgram::row_words)
        .def("workspace_bytes", &AugmentProgram::workspace_bytes, py::arg("batch"), py::arg("device_is_cuda"),
             py::arg("path") = "auto");

    module.def("augment_executor", &augment_executor, py::arg("level"));
    const py::call_guard<py::gil_scoped_release> no_gil;
    py::class_<BoundRender>(module, "BoundRender")
        .def(py::init([](const AugmentProgram& program, const Strides& image_strides, int64_t num_images, int out_dtype,
                         const Strides& out_strides) {
                 return BoundRender{&program, make_images(program, 0, image_strides, num_images),
                                    make_output(0, out_dtype, out_strides)};
             }),
             py::arg("program"), py::arg("image_strides"), py::arg("num_images"), py::arg("out_dtype"),
             py::arg("out_strides"), py::keep_alive<1, 2>())
        .def("__call__", &BoundRender::operator(), py::arg("images"), py::arg("ids"), py::arg("address_ids"),
             py::arg("views"), py::arg("count"), py::arg("seed"), py::arg("out"), py::arg("num_threads"), no_gil);
    module.def(
        "augment_sample",
        [](const AugmentProgram& program, uintptr_t ids, uintptr_t views, int64_t count, uint64_t seed, uintptr_t rows,
           int num_threads) {
            augment_sample(program, make_batch(ids, 0, views, 0, count, seed), pointer<int32_t>(rows), num_threads);
        },
        py::arg("program"), py::arg("ids"), py::arg("views"), py::arg("count"), py::arg("seed"), py::arg("rows"),
        py::arg("num_threads"), no_gil);
    module.def(
        "augment_render",
        [](const AugmentProgram& program, uintptr_t images, const Strides& image_strides, int64_t num_images,
           uintptr_t ids, uintptr_t views, uintptr_t rows, int64_t count, uint64_t seed, uintptr_t out, int out_dtype,
           const Strides& out_strides, int num_threads, const std::string& level, uintptr_t address_ids) {
            augment_render(program, make_images(program, images, image_strides, num_images),
                           make_batch(ids, address_ids, views, rows, count, seed),
                           make_output(out, out_dtype, out_strides), num_threads, level);
        },
        py::arg("program"), py::arg("images"), py::arg("image_strides"), py::arg("num_images"), py::arg("ids"),
        py::arg("views"), py::arg("rows"), py::arg("count"), py::arg("seed"), py::arg("out"), py::arg("out_dtype"),
        py::arg("out_strides"), py::arg("num_threads"), py::arg("level") = "auto", py::arg("address_ids") = 0, no_gil);
    module.def(
        "augment_render_batches",
        [](const AugmentProgram& program, const std::vector<std::tuple<uintptr_t, Strides, int64_t>>& banks,
           uintptr_t ids, uintptr_t views, int64_t count, const std::vector<uint64_t>& seeds, uintptr_t out,
           int out_dtype, int64_t out_stride, const Strides& out_strides, int num_threads, const std::string& level) {
            const size_t itemsize = DType(out_dtype) == DType::float32 ? 4 : 2;
            std::vector<AugmentJob> jobs;
            for (size_t r = 0; r < seeds.size(); ++r) {
                const auto& [images, strides, num_images] = banks[banks.size() == 1 ? 0 : r];
                const size_t first = r * size_t(count) * sizeof(int64_t);
                jobs.push_back({make_images(program, images, strides, num_images),
                                make_batch(ids + first, 0, views + first, 0, count, seeds[r]),
                                make_output(out + r * size_t(out_stride) * itemsize, out_dtype, out_strides)});
            }
            augment_render_batches(program, jobs.data(), int64_t(jobs.size()), num_threads, level);
        },
        py::arg("program"), py::arg("banks"), py::arg("ids"), py::arg("views"), py::arg("count"), py::arg("seeds"),
        py::arg("out"), py::arg("out_dtype"), py::arg("out_stride"), py::arg("out_strides"), py::arg("num_threads"),
        py::arg("level") = "auto", no_gil);
    module.def(
        "augment_sample_cuda",
        [](const AugmentProgram& program, uintptr_t ids, uintptr_t views, int64_t count, uint64_t seed, uintptr_t rows,
           uintptr_t stream, int device) {
            augment_sample_cuda(program, make_batch(ids, 0, views, 0, count, seed), pointer<int32_t>(rows),
                                pointer<void>(stream), device);
        },
        py::arg("program"), py::arg("ids"), py::arg("views"), py::arg("count"), py::arg("seed"), py::arg("rows"),
        py::arg("stream"), py::arg("device"), no_gil);
    module.def(
        "augment_render_cuda",
        [](const AugmentProgram& program, uintptr_t images, const Strides& image_strides, int64_t num_images,
           uintptr_t ids, uintptr_t views, uintptr_t rows, int64_t count, uint64_t seed, uintptr_t out, int out_dtype,
           const Strides& out_strides, uintptr_t workspace, uintptr_t stream, int device, uintptr_t address_ids,
           const std::string& path) {
            augment_render_cuda(program, make_images(program, images, image_strides, num_images),
                                make_batch(ids, address_ids, views, rows, count, seed),
                                make_output(out, out_dtype, out_strides), pointer<void>(workspace),
                                pointer<void>(stream), device, path);
        },
        py::arg("program"), py::arg("images"), py::arg("image_strides"), py::arg("num_images"), py::arg("ids"),
        py::arg("views"), py::arg("rows"), py::arg("count"), py::arg("seed"), py::arg("out"), py::arg("out_dtype"),
        py::arg("out_strides"), py::arg("workspace"), py::arg("stream"), py::arg("device"), py::arg("address_ids") = 0,
        py::arg("path") = "auto", no_gil);
}

}  // namespace rote
