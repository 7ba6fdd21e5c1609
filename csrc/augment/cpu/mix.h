// augment/cpu/mix.h: MixUp and CutMix on vectors. Included by executor_* only.
#pragma once

#include <algorithm>

#include "augment/cpu/view.h"
#include "augment/meaning/mix.h"
#include "augment/program/kinds.h"

namespace rote {
namespace {

/// The planes of a mixing step's partner: steps 0 .. s - 1 at the partner's row, in which nothing is mixed. Once the
/// view's own image stands in planes of its own, everything else of the scratch is free for it. `apply_step` is that
/// of body.h.
template <class ApplyStep>
inline View render_partner(const View& view, const MixParameters& mix, int32_t s, ApplyStep&& apply_step) {
    View partner = view;
    partner.row = mix.partner_row;
    open_view(partner, *view.bank, mix.partner);
    partner.planes = view.part<float>(view.layout->partner);
    partner.spare = view.spare;
    for (int32_t t = 0; t < s;) t = mixes(view.plan->steps[t].kind) ? t + 1 : apply_step(partner, t);
    to_planes(partner);
    return partner;
}

template <class ApplyStep>
inline void mix(View& view, int32_t s, ApplyStep&& apply_step) {
    const MixParameters mix = mix_parameters(view.plan->steps[s], view.row);
    if (!mix.acts()) return;
    to_planes(view);
    const View partner = render_partner(view, mix, s, apply_step);
    const PixelBox& box = mix.box;
    const float weight = mix.weight, rest = 1.0f - weight;
    for (int32_t c = 0; c < view.plan->channels; ++c) {
        float* const plane = view.plane(c);
        const float* const other = partner.plane(c);
        if (mix.everywhere) {
            for (int32_t p = 0; p < view.height * view.width; p += kLanes)
                store(plane + p, mixed<FloatVector>(load_float(plane + p), load_float(other + p), weight, rest));
            continue;
        }
        for (int32_t y = box.top; y < box.bottom; ++y) {
            const int64_t first = int64_t(y) * view.width + box.left;
            std::copy_n(other + first, box.right - box.left, plane + first);
        }
    }
}

}  // namespace
}  // namespace rote
