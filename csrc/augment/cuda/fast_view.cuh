// augment/cuda/fast_view.cuh: a view in the hands of a team: its passes over the pixels (fast_plan.h).
#pragma once

#include "augment/cuda/fast_source.cuh"
#include "augment/cuda/fast_store.cuh"

namespace rote {
namespace {

enum class Sink : int32_t { nothing, planes, output };

template <class Team, int C, int K>
struct FastView {
    static constexpr int kChannels = C;
    using Entry = TapEntry<K>;

    const FastJob& job;
    const Team& team;
    const FastMemory& memory;
    int64_t view;

    // The pass that is being put together.
    Source source;
    Sampler sampler = Sampler::window;
    bool has_sampler = false;
    CropWindow window;  // of the source: what a crop shows or a resize resizes
    Padding padding{0, 0.0f};
    AffineSampler affine{};
    BlurSampler blur{};
    ResizeColumn<C, K> resize{};
    int32_t height, width;
    bool flip_x = false, flip_y = false;  // behind the sampler; colours do not care, so they wait for a sampler
    int32_t ops = 0;
    bool unbounded = false;  // pixels may lie outside [0, 1] when their mean is taken
    float* free_planes;      // where a pass may write that cannot write in place

    __device__ __forceinline__ FastView(const FastJob& j, const Team& t, const FastMemory& m, int64_t v,
                                        const Source& image)
        : job(j),
          team(t),
          memory(m),
          view(v),
          source(image),
          height(image.height),
          width(image.width),
          free_planes(m.planes) {
        window = {0, 0, height, width};
        padding = {0, 0.0f};
    }

    __device__ __forceinline__ float* table_x() const { return memory.taps; }
    __device__ __forceinline__ float* table_y() const { return memory.taps + width * Entry::kWords; }

    __device__ __forceinline__ void append(PixelOp op, float a, float b = 0.0f, int32_t step = 0) {
        if (team.rank == 0) reinterpret_cast<OpEntry*>(memory.ops)[ops] = {op, a, b, step};
        ++ops;
    }

    /// An operation on the pixels of a box; sizes fit 16 bits.
    __device__ __forceinline__ void append_box(PixelOp op, const PixelBox& box, int32_t step) {
        append(op, float_from_bits(uint32_t(box.top) | uint32_t(box.bottom) << 16),
               float_from_bits(uint32_t(box.left) | uint32_t(box.right) << 16), step + mirrors());
    }
    __device__ __forceinline__ int32_t mirrors() const { return (flip_x ? kMirroredX : 0) + (flip_y ? kMirroredY : 0); }

    /// The rows of a column from y on; x is the source's for a window. Rare samplers go row by row, so that the code
    /// stays small.
    __device__ __forceinline__ void sample(int32_t y, int32_t x, Pixels<C>& v) {
        if (sampler == Sampler::window || sampler == Sampler::resize) {
#pragma unroll
            for (int r = 0; r < kFastRows; ++r) {
                const int32_t row = y + r < height ? y + r : height - 1;
                float pixel[C] = {};
                if (sampler == Sampler::window)
                    sample_window<C>(source, window, padding, row, x, pixel);
                else
                    resize.sample(source, window, table_y(), row, pixel);
                for (int c = 0; c < C; ++c) v[c][r] = pixel[c];
            }
            return;
        }
#pragma unroll 1
        for (int r = 0; r < kFastRows; ++r) {
            const int32_t row = y + r < height ? y + r : height - 1;
            float pixel[C] = {};
            if (sampler == Sampler::affine)
                affine.sample<C>(source, row, x, pixel);
            else if (sampler == Sampler::blur_x)
                blur.along_x<C>(source, row, x, pixel);
            else
                blur.along_y<C>(source, row, x, pixel);
            for (int c = 0; c < C; ++c) {  // in at the bottom: registers have no index
                for (int k = 0; k + 1 < kFastRows; ++k) v[c][k] = v[c][k + 1];
                v[c][kFastRows - 1] = pixel[c];
            }
        }
    }

    /// Over all pixels; the fixed-point sum of grey values if `mean` is wanted.
    __device__ __forceinline__ int64_t run(Sink sink, float* to, bool mean) {
        team.sync();  // operations and taps are in place
        const int32_t columns = width < team.size() ? width : team.size();
        Place place;
        place.height = height;
        place.width = width;
        place.upside_down = flip_y;
        place.strips = team.size() / columns;
        place.strip = team.rank / columns;
        place.strip_rows = (height + place.strips * kFastRows - 1) / (place.strips * kFastRows) * kFastRows;
        const bool seated = place.strip < place.strips;
        place.strip = seated ? place.strip : place.strips - 1;
        const int32_t column = team.rank % columns;
        const int32_t top = place.strip * place.strip_rows;
        int64_t sum = 0;
        for (int32_t left = 0; left < width; left += columns) {
            place.inside = seated && left + column < width;
            place.x = place.inside ? left + column : width - 1;
            const int32_t from_x = flip_x ? width - 1 - place.x : place.x;
            const int32_t sample_x =
                sampler == Sampler::window ? padded_index(window.left + from_x, source.width, padding.mode) : from_x;
            if (sampler == Sampler::resize)
                resize.start(window, table_x(), from_x, table_y(), top < height ? top : height - 1);
            for (int32_t below = 0; below < place.strip_rows; below += kFastRows) {
                place.y = top + below;
                Pixels<C> v = {};
                sample(place.y, sample_x, v);
                const Spot spot{place.y, from_x, height, width, memory.partner};
                for (int32_t i = 0; i < ops; ++i)
                    apply_op<C>(job, reinterpret_cast<const OpEntry*>(memory.ops)[i], spot, v);
                if (mean)
                    for (int r = 0; r < kFastRows; ++r)
                        if (place.has(r)) {
                            const float grey = grey_value<C>(v, r);
                            sum += int32_t((unbounded ? bounded_grey<float>(grey) : grey) * kGreyScale);
                        }
                if (sink == Sink::output) {
                    store_pixels<C>(job, view, place, v, memory.stage, team);
                } else if (sink == Sink::planes) {
                    if (sampler == Sampler::blur_x) team.sync();  // neighbours in these rows have been read
                    for (int r = 0; r < kFastRows; ++r)
                        if (place.has(r))
                            for (int c = 0; c < C; ++c)
                                to[c * int32_t(job.fast.plane_floats) + place.row(r) * width + place.x] = v[c][r];
                }
            }
        }
        team.sync();  // the list of operations is free, planes are written
        return mean ? team.sum(sum) : 0;
    }

    /// Ends the pass; the fixed-point sum of grey values if `mean` is wanted. A pass that ended in planes leaves a new
    /// one that reads them, but for the `last` one. Pixels that stay where they are are overwritten in place; flips
    /// wait.
    __device__ __forceinline__ int64_t finish(Sink sink, bool mean, float* last) {
        if (last) return run(sink, last, mean);
        const bool in_place = sink == Sink::planes && !source.bytes && (!has_sampler || sampler == Sampler::blur_x);
        const bool later_x = in_place && flip_x, later_y = in_place && flip_y;
        if (in_place) flip_x = flip_y = false;
        float* const to = in_place ? const_cast<float*>(source.planes) : free_planes;
        const int64_t sum = run(sink, to, mean);
        if (sink != Sink::planes) return sum;
        if (!in_place)
            free_planes = source.bytes ? memory.planes + C * job.fast.plane_floats : const_cast<float*>(source.planes);
        source = {nullptr, 0, 0, 0, to, int32_t(job.fast.plane_floats), height, width, false, false};
        window = {0, 0, height, width};
        padding = {0, 0.0f};
        sampler = Sampler::window;
        has_sampler = false;
        flip_x = later_x;
        flip_y = later_y;
        ops = 0;
        return sum;
    }

    /// A sampler wants an image that nothing but flips has touched in this pass: else false.
    __device__ __forceinline__ bool begin_sampler(Sampler which, const AugmentStep& step) {
        if (has_sampler || ops > 0) return false;
        source.mirror_x = flip_x;
        source.mirror_y = flip_y;
        flip_x = flip_y = false;
        has_sampler = true;
        sampler = which;
        height = step.out_height;
        width = step.out_width;
        return true;
    }
};

}  // namespace
}  // namespace rote
