// augment/program/resize_tables.cpp: see the header.
#include "augment/program/resize_tables.h"

namespace rote {
namespace {

constexpr int32_t kPad = 16;                          // floats in the widest vector
constexpr int64_t kMaxTableWords = int64_t(4) << 20;  // per axis; larger images compute taps per view

int32_t pitch_of(int32_t out) {
    return (out + kPad - 1) / kPad * kPad;
}

int64_t words_of(const ResizeFilter& filter, int32_t extent, int32_t out) {
    return int64_t(pitch_of(out)) * (1 + tap_count(filter, extent, out));
}

void fill(const ResizeFilter& filter, int32_t extent, int32_t out, bool mirror, int32_t* words) {
    const int32_t pitch = pitch_of(out), taps = tap_count(filter, extent, out);
    float* weights = reinterpret_cast<float*>(words + pitch);
    for (int32_t i = 0; i < pitch * (1 + taps); ++i) words[i] = 0;
    for (int32_t d = 0; d < out; ++d) {
        const int32_t place = mirror ? out - 1 - d : d;
        words[place] = resize_taps(filter, extent, out, d, taps, weights + place, pitch);
    }
}

TapTable view_of(const AxisTables& axis, const int32_t* words, int32_t extent) {
    TapTable table{};
    table.taps = tap_count(axis.filter, extent, axis.out);
    table.pitch = pitch_of(axis.out);
    table.first = words;
    table.weights = reinterpret_cast<const float*>(words + table.pitch);
    return table;
}

void build_axis(const ResizeFilter& filter, int32_t least, int32_t in, int32_t out, bool mirror, AxisTables* axis) {
    axis->filter = filter;
    axis->in = in;
    axis->out = out;
    axis->offsets.assign(size_t(in) + 1, -1);
    int64_t total = 0;
    for (int32_t extent = least; extent <= in; ++extent) total += words_of(filter, extent, out);
    if (total > kMaxTableWords) return;
    axis->words.resize(size_t(total));
    int64_t offset = 0;
    for (int32_t extent = least; extent <= in; ++extent) {
        axis->offsets[size_t(extent)] = offset;
        fill(filter, extent, out, mirror, axis->words.data() + offset);
        offset += words_of(filter, extent, out);
    }
}

}  // namespace

void build_resize_tables(const AugmentPlan& plan, ResizeTables* tables) {
    for (int32_t s = 0; s < plan.num_steps; ++s) {
        const AugmentStep& step = plan.steps[s];
        const bool whole = step.kind == AugmentKind::resize;
        if (step.kind != AugmentKind::random_resized_crop && !whole) continue;
        const ResizeFilter filter = resize_filter(step);
        if (filter.interpolation == Interpolation::nearest) continue;
        const int32_t height = whole ? step.in_height : 1, width = whole ? step.in_width : 1;
        build_axis(filter, height, step.in_height, step.out_height, false, &tables->rows[s]);
        build_axis(filter, width, step.in_width, step.out_width, false, &tables->columns[s]);
        build_axis(filter, width, step.in_width, step.out_width, true, &tables->mirrored[s]);
    }
}

int64_t tap_scratch_words(const ResizeFilter& filter, int32_t in, int32_t out) {
    return words_of(filter, in, out);
}

TapTable find_taps(const AxisTables& axis, int32_t extent, bool mirror, int32_t* scratch) {
    const int64_t offset = axis.offsets[size_t(extent)];
    if (offset >= 0) return view_of(axis, axis.words.data() + offset, extent);
    fill(axis.filter, extent, axis.out, mirror, scratch);
    return view_of(axis, scratch, extent);
}

}  // namespace rote
