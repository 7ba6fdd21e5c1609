// augment/program/resize_tables.cpp: see the header.
#include "augment/program/resize_tables.h"

#include "augment/meaning/resize_taps.h"

namespace rote {
namespace {

constexpr int32_t kPad = 16;                          // floats in the widest vector
constexpr int64_t kMaxTableWords = int64_t(4) << 20;  // per axis; larger images compute taps per view

int32_t pitch_of(int32_t out) {
    return (out + kPad - 1) / kPad * kPad;
}

int64_t words_of(int32_t extent, int32_t out) {
    return int64_t(pitch_of(out)) * (1 + tap_count(extent, out));
}

void fill(int32_t extent, int32_t out, bool mirror, int32_t* words) {
    const int32_t pitch = pitch_of(out), taps = tap_count(extent, out);
    float* weights = reinterpret_cast<float*>(words + pitch);
    for (int32_t i = 0; i < pitch * (1 + taps); ++i) words[i] = 0;
    for (int32_t d = 0; d < out; ++d) {
        const int32_t place = mirror ? out - 1 - d : d;
        words[place] = resize_taps(extent, out, d, taps, weights + place, pitch);
    }
}

TapTable view_of(const int32_t* words, int32_t extent, int32_t out) {
    TapTable table;
    table.taps = tap_count(extent, out);
    table.pitch = pitch_of(out);
    table.first = words;
    table.weights = reinterpret_cast<const float*>(words + table.pitch);
    return table;
}

void build_axis(int32_t in, int32_t out, bool mirror, AxisTables* axis) {
    axis->in = in;
    axis->out = out;
    axis->offsets.assign(size_t(in) + 1, -1);
    int64_t total = 0;
    for (int32_t extent = 1; extent <= in; ++extent) total += words_of(extent, out);
    if (total > kMaxTableWords) return;
    axis->words.resize(size_t(total));
    int64_t offset = 0;
    for (int32_t extent = 1; extent <= in; ++extent) {
        axis->offsets[size_t(extent)] = offset;
        fill(extent, out, mirror, axis->words.data() + offset);
        offset += words_of(extent, out);
    }
}

}  // namespace

void build_resize_tables(const AugmentPlan& plan, ResizeTables* tables) {
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        if (step.kind != AugmentKind::random_resized_crop) continue;
        build_axis(step.in_height, step.out_height, false, &tables->rows[s]);
        build_axis(step.in_width, step.out_width, false, &tables->columns[s]);
        build_axis(step.in_width, step.out_width, true, &tables->mirrored[s]);
    }
}

int64_t tap_scratch_words(int32_t in, int32_t out) {
    return words_of(in, out);
}

TapTable find_taps(const AxisTables& axis, int32_t extent, bool mirror, int32_t* scratch) {
    const int64_t offset = axis.offsets[size_t(extent)];
    if (offset >= 0) return view_of(axis.words.data() + offset, extent, axis.out);
    fill(extent, axis.out, mirror, scratch);
    return view_of(scratch, extent, axis.out);
}

}  // namespace rote
