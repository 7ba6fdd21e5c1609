// augment/program/checks.h: what a recipe's constants and a given parameter row must be. Errors name the operation,
// what was wanted and what was given.
#pragma once

#include "rote/augment.h"

namespace rote {

/// The output size of a step whose kind, constants and input size are set.
void set_output_size(const AugmentPlan& plan, AugmentStep& step);

/// Checks one step whose sizes are set, and derives the constants the sampler wants. `normalized`: behind a normalize,
/// so that pixels are no longer in [0, 1].
void check_step(const AugmentPlan& plan, AugmentStep& step, bool normalized);

/// Checks the step's fields in the row of view number `view` of a batch.
void check_step_row(const AugmentPlan& plan, const AugmentStep& step, const int32_t* row, int64_t view);

/// Checks that partners stand in a bank of `images`: those of given rows, or all that can be drawn (rows null).
void check_partners(const AugmentPlan& plan, const int32_t* rows, int64_t count, int64_t images);

// By group of operations ----------------------------------------------------------------------------------------------

void check_geometry_step(AugmentStep& step, bool normalized);
void check_color_step(const AugmentPlan& plan, AugmentStep& step, bool normalized);
void check_tone_step(const AugmentPlan& plan, AugmentStep& step, bool normalized);
void check_noise_step(const AugmentPlan& plan, AugmentStep& step, bool normalized);
void check_mix_step(const AugmentPlan& plan, AugmentStep& step);

void check_geometry_row(const AugmentStep& step, const int32_t* fields, int64_t view);
void check_color_row(const AugmentStep& step, const int32_t* fields, int64_t view);
void check_tone_row(const AugmentStep& step, const int32_t* fields, int64_t view);
void check_noise_row(const AugmentStep& step, const int32_t* fields, int64_t view);
void check_mix_row(const AugmentPlan& plan, const AugmentStep& step, const int32_t* row, int64_t view);

// What several groups check -------------------------------------------------------------------------------------------

void check_probability(const char* name, double p);
void check_range(const char* name, const char* field, double low, double high, double least, double most);
/// Before a normalize the image lives in [0, 1], and the colour operations rely on it.
void check_fill(const char* name, double fill, bool normalized);
/// Whether a bicubic resize among the plan's steps so far may have left [0, 1].
bool may_overshoot(const AugmentPlan& plan);
/// Wants 1 or 3 channels, and to stand before a normalize.
void check_colour(const AugmentPlan& plan, const char* name, bool normalized);
/// Wants `good` of a field of a row.
void check_field(bool good, const AugmentStep& step, const char* field, int64_t view, const char* wanted);

}  // namespace rote
