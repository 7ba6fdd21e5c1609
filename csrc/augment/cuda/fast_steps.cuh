// augment/cuda/fast_steps.cuh: the operations of a recipe as parts of passes.
#pragma once

#include "augment/cuda/fast_view.cuh"
#include "augment/meaning/jitter.h"

namespace rote {
namespace {

/// What a pass lacks before it can take the next operation.
enum class Need : int32_t { nothing, planes, mean };

/// Puts operations into passes, and asks for the end of a pass where one cannot go on.
struct Assembly {
    int32_t step = 0;   // of the recipe
    int32_t last = 0;   // a partner is done before the mixing step
    int32_t place = 0;  // in the order of a jitter; 1: a blur has gone along x
    bool mean_known = false;
    int64_t grey_sum = 0;

    template <class View>
    __device__ __forceinline__ Need resize(View& view, const AugmentStep& step, const int32_t* row) const {
        if (!view.begin_sampler(Sampler::resize, step)) return Need::planes;
        const CropWindow window = crop_window(step, row);
        view.window = window;
        const ResizeFilter filter = resize_filter(step);
        view.resize.taps_x = tap_count(filter, window.width, step.out_width);
        view.resize.taps_y = tap_count(filter, window.height, step.out_height);
        for (int32_t d = view.team.rank; d < step.out_width + step.out_height; d += view.team.size()) {
            const bool y = d >= step.out_width;
            View::Entry::write(y ? view.table_y() : view.table_x(), filter, y ? window.height : window.width,
                               y ? step.out_height : step.out_width, y ? d - step.out_width : d);
        }
        return Need::nothing;
    }

    /// Two passes over planes: along x in place, then along y as the sampler of the next pass.
    template <class View>
    __device__ __forceinline__ Need gaussian_blur(View& view, const AugmentStep& step, const int32_t* row) {
        if (view.source.bytes || view.has_sampler || view.ops > 0) return Need::planes;
        const int32_t radius_x = blur_radius(step.constants[0]), radius_y = blur_radius(step.constants[1]);
        if (place == 0)
            view.blur.weights = write_blur_weights(view.memory.taps, radius_x, radius_y,
                                                   word_float(row[step.row_offset + 1]), view.team);
        view.has_sampler = true;
        if (place++ == 0) {
            view.sampler = Sampler::blur_x;
            view.blur.radius = radius_x;
            return Need::planes;
        }
        view.sampler = Sampler::blur_y;
        view.blur = {view.blur.weights + radius_x + 1, radius_y};
        return Need::nothing;
    }

    template <class View>
    __device__ __forceinline__ void mix(View& view, const AugmentStep& step, const int32_t* row) const {
        const MixParameters mix = mix_parameters(step, row);
        if (!mix.acts()) return;
        if (mix.everywhere)
            view.append(PixelOp::mixup, mix.weight, 1.0f - mix.weight, this->step + view.mirrors());
        else
            view.append_box(PixelOp::cutmix, mix.box, this->step);
    }

    template <class View>
    __device__ __forceinline__ Need jitter_colors(View& view, const AugmentStep& step, const int32_t* row) {
        const JitterParameters jitter = jitter_parameters(step, row);
        if (!jitter.applied) return Need::nothing;
        for (; place < 4; ++place) {
            const int32_t which = row[step.row_offset + 1 + place] & 3;  // jitter.order, without indexing registers
            if (which == 0 && jitter.brightness != 1.0f) view.append(PixelOp::brightness, jitter.brightness);
            if (which == 1 && jitter.contrast != 1.0f) {
                view.unbounded = jitter.unbounded;
                if (!mean_known) return Need::mean;
                mean_known = false;
                view.append(PixelOp::blend, jitter.contrast,
                            contrast_part(grey_sum, int64_t(view.height) * view.width, jitter.contrast));
            }
            if (View::kChannels != 3) continue;
            if (which == 2 && jitter.saturation != 1.0f) view.append(PixelOp::saturation, jitter.saturation);
            if (which == 3 && jitter.hue != 0.0f)
                view.append(jitter.unbounded ? PixelOp::unbounded_hue : PixelOp::hue, hue_sextants(jitter.hue));
        }
        return Need::nothing;
    }

    template <class View>
    __device__ __forceinline__ Need add(View& view, const AugmentStep& step, const int32_t* row) {
        const int32_t* const fields = row + step.row_offset;
        switch (step.kind) {
            case AugmentKind::random_resized_crop:
            case AugmentKind::resize:
                return resize(view, step, row);
            case AugmentKind::random_crop:
            case AugmentKind::center_crop:
                if (!view.begin_sampler(Sampler::window, step)) return Need::planes;
                view.window = padded_window(step, row);
                view.padding = padding_of(step);
                return Need::nothing;
            case AugmentKind::random_affine:
            case AugmentKind::random_rotation: {
                const AffineMap map = affine_map(step, row);
                if (is_identity(map)) return Need::nothing;
                if (!view.begin_sampler(Sampler::affine, step)) return Need::planes;
                if (view.team.rank == 0) *reinterpret_cast<AffineMap*>(view.memory.taps) = map;
                view.affine = {reinterpret_cast<const AffineMap*>(view.memory.taps), affine_sampling(step)};
                return Need::nothing;
            }
            case AugmentKind::horizontal_flip:
            case AugmentKind::alternating_flip:
                view.flip_x = view.flip_x != (fields[0] != 0);
                return Need::nothing;
            case AugmentKind::vertical_flip:
                view.flip_y = view.flip_y != (fields[0] != 0);
                return Need::nothing;
            case AugmentKind::solarize:
                if (fields[0] != 0) view.append(PixelOp::solarize, float(step.constants[0]));
                return Need::nothing;
            case AugmentKind::posterize:
                if (fields[0] != 0) view.append(PixelOp::posterize, posterize_levels(step.constants[0]));
                return Need::nothing;
            case AugmentKind::invert:
                if (fields[0] != 0) view.append(PixelOp::invert, 0.0f);
                return Need::nothing;
            case AugmentKind::color_jitter:
                return jitter_colors(view, step, row);
            case AugmentKind::grayscale:
                if (View::kChannels == 3 && fields[0] != 0) view.append(PixelOp::grey, 0.0f);
                return Need::nothing;
            case AugmentKind::gaussian_blur:
                return fields[0] != 0 ? gaussian_blur(view, step, row) : Need::nothing;
            case AugmentKind::random_erasing:
            case AugmentKind::cutout: {
                const EraseParameters erase =
                    step.kind == AugmentKind::cutout ? cutout_parameters(step, row) : erasing_parameters(step, row);
                if (erase.applied) view.append_box(PixelOp::erase, erase.box, this->step);
                return Need::nothing;
            }
            case AugmentKind::mixup:
            case AugmentKind::cutmix:
                mix(view, step, row);
                return Need::nothing;
            case AugmentKind::normalize:
                view.append(PixelOp::normalize, 0.0f, 0.0f, this->step);
                return Need::nothing;
            default:
                return Need::nothing;
        }
    }

    /// Goes on until a pass must end; Need::nothing: with the output.
    template <class View>
    __device__ __forceinline__ Need assemble(View& view, const int32_t* row) {
        const AugmentPlan& plan = view.job.job.plan;
        for (; step < last; ++step, place = 0) {
            const Need need = add(view, plan.steps[step], row);
            if (need != Need::nothing) return need;
        }
        return Need::nothing;
    }
};

/// The first `steps` steps of a view, into the output or, of a partner, into planes. `release` is called when the bytes
/// have become planes.
template <class View, class Release>
__device__ __forceinline__ void render_steps(View& view, const int32_t* row, int32_t steps, float* partner,
                                             Release&& release) {
    Assembly assembly;
    assembly.last = steps;
    for (bool done = false; !done;) {
        const Need need = assembly.assemble(view, row);
        done = need == Need::nothing;
        const bool mean = need == Need::mean;
        const Sink sink = done ? (partner ? Sink::planes : Sink::output)
                               : (mean && view.job.fast.recompute ? Sink::nothing : Sink::planes);
        assembly.grey_sum = view.finish(sink, mean, done ? partner : nullptr);
        assembly.mean_known = mean;
        if (sink == Sink::planes && !partner) release();
    }
}

}  // namespace
}  // namespace rote
