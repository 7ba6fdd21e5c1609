"""Thresholds of claims 1 to 13."""

from __future__ import annotations

from .test_states import MILD, cell
from .thresholds import benign, case

# Claims 1 to 4: initialization has .387, raw pixels .353 --------------------------------------------------------------


@case(1, 0.99, 1)
def clean_accuracy_without(runs, value):
    benign(runs, 0.38, augment="none", train_accuracy=value)


@case(1, 0.03, -1)
def probe_gained_without(runs, value):
    benign(runs, 0.387 + value, augment="none")


@case(1, -0.03, 1)
def probe_lost_without(runs, value):
    benign(runs, 0.387 + value, augment="none")


@case(2, 0.99, 1)
def clean_accuracy_with(runs, value):
    benign(runs, 0.49, train_accuracy=value)


@case(2, 0.95, 1)
def fresh_views(runs, value):
    benign(runs, 0.49, train_accuracy_fresh_views=value)


@case(2, 0.05, 1)
def over_initialization(runs, value):
    benign(runs, 0.387 + value)


@case(2, 0.05, 1)
def over_raw_pixels(runs, value):
    benign(runs, 0.4 + value, probe_accuracy_raw=0.4, probe_accuracy_init=0.2)


@case(3, 0.05, 1)
def with_minus_without(runs, value):
    benign(runs, 0.5)
    benign(runs, 0.5 - value, augment="none")


@case(4, 0.10, 1)
def fixed_minus_fresh(runs, value):
    benign(runs, 0.3 + value)
    benign(runs, 0.3, labels="fresh")


@case(4, 0.0, -1)
def fresh_minus_initialization(runs, value):
    benign(runs, 0.6)
    benign(runs, 0.387 + value, labels="fresh")


# Claims 5, 6 and 13: five seeds spread by .0032, a half width of .0039 ------------------------------------------------


@case(5, 0.0, 1)
def encoder_minus_other_layers(runs, value):
    runs.layers(encoder=0.49, projector=0.49 - value)


@case(5, 0.0, 1)
def encoder_minus_pixels(runs, value):
    runs.layers(encoder=0.353 + value, projector=0.2, logits=0.1)


@case(5, 0.15, 1)
def encoder_minus_logits(runs, value):
    runs.layers(encoder=0.5, logits=0.5 - value)


@case(6, 0.05, -1)
def used_labels_in_the_encoder_with(runs, value):
    runs.layers(loo=0.1 + value)
    runs.layers(augment="none", loo=0.83)


@case(6, 0.40, 1)
def used_labels_in_the_encoder_without(runs, value):
    runs.layers()
    runs.layers(augment="none", loo=0.1 + value)


@case(6, 0.95, 1)
def used_labels_in_the_logits_with(runs, value):
    runs.layers(loo_logits=value)
    runs.layers(augment="none", loo=0.83)


@case(6, 0.95, 1)
def used_labels_in_the_logits_without(runs, value):
    runs.layers()
    runs.layers(augment="none", loo=0.83, loo_logits=value)


@case(13, 0.1, 1)
def invariance_with(runs, value):
    runs.invariance(augment=MILD, gain=value, retrieval=0.3)
    runs.invariance(augment="none", gain=0.01)


@case(13, 0.1, 1)
def retrieval_with(runs, value):
    runs.invariance(augment=MILD, gain=0.3, retrieval=value)
    runs.invariance(augment="none", gain=0.01)


@case(13, 0.05, -1)
def invariance_without(runs, value):
    runs.invariance(augment=MILD, gain=0.3)
    runs.invariance(augment="none", gain=value, retrieval=0.0)


@case(13, 0.05, -1)
def retrieval_without(runs, value):
    runs.invariance(augment=MILD, gain=0.3)
    runs.invariance(augment="none", gain=0.0, retrieval=value)


# Claims 7, 8 and 10 ---------------------------------------------------------------------------------------------------


@case(7, 0.99, 1)
def little_is_fitted(runs, value):
    runs.capacity([cell(9, "random", 0.5, value), cell(75, "random", 4.0, 0.5)], spread=0)


@case(7, 0.7, -1)
def much_is_not(runs, value):
    runs.capacity([cell(9, "random", 0.5, 1.0), cell(75, "random", 4.0, value)], spread=0)


@case(7, 0.05, -1)
def twice_the_visits(runs, value):
    runs.capacity([cell(9, "random", 0.5, 1.0), cell(75, "random", 4.0, 0.5, half=0.5 - value)], spread=0)


@case(8, 0.20, 1)
def shared_minus_random(runs, value):
    runs.capacity([cell(75, "random", 4.0, 0.5), cell(75, "same", 0.05, 0.5 + value)], spread=0)


def frontier(runs, power):
    rows = [
        {"parameters": 1000 * 2**k, "samples": round(1e6 * 2 ** (power * k)), "budget_limited": False} for k in range(6)
    ]
    runs.capacity([], frontier=lambda position: rows)


@case(10, 0.8, 1)
def least_slope(runs, value):
    frontier(runs, value)


@case(10, 1.2, -1)
def largest_slope(runs, value):
    frontier(runs, value)


# Claims 9, 11 and 12 --------------------------------------------------------------------------------------------------


@case(9, 0.05, 1)
def infinite_minus_one(runs, value):
    for views, share in ((1, 0.0), (4, 0.3), (16, 0.6), (None, 1.0)):
        benign(runs, 0.4 + share * value, views=views)


@case(11, 0.02, 1)
def interior_minus_strongest(runs, value):
    runs.diversity((0.42, 0.46, 0.49, 0.46, 0.49 - value), (200, 400, 800, 1600, None))


@case(11, 0.0, 1)
def interior_minus_weakest(runs, value):
    runs.diversity((0.49 - value, 0.46, 0.49, 0.46, 0.44), (200, 400, 800, 1600, None))


@case(12, 0.03, 1)
def same_class_minus_recipe(runs, value):
    runs.ideal(value, spread=0)
