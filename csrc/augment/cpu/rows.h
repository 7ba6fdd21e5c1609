// augment/cpu/rows.h: the parameter rows of many views, a lane a view. Included by executor_* only.
#pragma once

#include "augment/cpu/philox.h"
#include "augment/program/kinds.h"
#include "augment/sampling/draw.h"

namespace rote {
namespace {

/// Up to kLanes views, with the words of their addresses that do not depend on the stream.
struct AddressLanes {
    uint64_t images[kLanes], views[kLanes];
    int32_t count;
};

/// One step of all lanes. Philox, most of the work, runs on vectors for the first block of the step's stream, which is
/// all that most operations need; what else there is to compute is done lane by lane.
inline void draw_step_of_lanes(const AugmentStep& step, const AddressLanes& lanes, uint64_t seed, int32_t* rows,
                               int32_t row_words) {
    uint32_t counters[4][kLanes];
    for (int32_t i = 0; i < kLanes; ++i) {
        const Philox4x32 counter = address_counter(lanes.images[i], lanes.views[i], step.stream, 0);
        for (int32_t w = 0; w < 4; ++w) counters[w][i] = counter.word[w];
    }
    WordVector words[4];
    for (int32_t w = 0; w < 4; ++w) words[w] = load<WordVector>(counters[w]);
    philox_lanes(words, uint32_t(seed), uint32_t(seed >> 32));
    for (int32_t i = 0; i < lanes.count; ++i) {
        AddressStream random = address_stream(seed, lanes.images[i], lanes.views[i], step.stream);
        random.block = 0;
        random.words = {{words[0][i], words[1][i], words[2][i], words[3][i]}};
        draw_step(step, random, rows + i * row_words);
    }
}

/// Rows of views begin .. end - 1, as draw_row draws them.
inline void draw_rows_on_vectors(const AugmentPlan& plan, const AugmentBatch& batch, int64_t begin, int64_t end,
                                 int32_t* rows) {
    bool mixed = false;
    for (int32_t s = 0; s < plan.num_steps; ++s) mixed = mixed || mixes(plan.steps[s].kind);
    for (int64_t first = begin; first < end; first += kLanes, rows += kLanes * int64_t(plan.row_words)) {
        AddressLanes lanes{};
        lanes.count = int32_t(end - first < kLanes ? end - first : kLanes);
        for (int32_t i = 0; i < lanes.count; ++i) {
            lanes.images[i] = uint64_t((batch.address_ids ? batch.address_ids : batch.ids)[first + i]);
            lanes.views[i] = uint64_t(batch.views[first + i]);
            if (mixed) draw_row(plan, batch.seed, lanes.images[i], lanes.views[i], rows + i * plan.row_words);
        }
        if (mixed) continue;
        for (int32_t s = 0; s < plan.num_steps; ++s)
            if (plan.steps[s].row_words > 0) draw_step_of_lanes(plan.steps[s], lanes, batch.seed, rows, plan.row_words);
    }
}

}  // namespace
}  // namespace rote
