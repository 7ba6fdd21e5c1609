"""Every threshold of every claim from both sides: one quantity moves a little, all others stay where they hold."""

from __future__ import annotations

import pytest

from rote.claims.evidence import Evidence
from rote.claims.records import read_records
from rote.claims.table import ROWS

from . import states_capacity, states_learning, states_noise, states_noise_fitting
from .runs import Runs
from .test_states import MILD, cell

CASES: dict[str, tuple] = {}


def case(number: int, threshold: float, side: int, margin: float = 0.005):
    """Above the threshold (side 1) or below it (side -1) the claim is to hold, on the other side to fail."""

    def add(make):
        CASES[f"{number}-{make.__name__}"] = (number, make, threshold, side, margin)
        return make

    return add


def benign(runs, probe, *, augment=MILD, **more):
    options = {name: more.pop(name) for name in ("labels", "views") if name in more}
    runs.benign(augment=augment, summary={"probe_accuracy": probe, **more}, **options)


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


# Claims 15 to 18 ------------------------------------------------------------------------------------------------------


@case(15, 0.99, 1)
def every_condition_is_fitted(runs, value):
    states_noise.noise(runs, change=states_noise.set_where(value, "train_accuracy", condition="true"))


@case(17, 0.95, 1)
def fitted_under_regularizers(runs, value):
    where = {"condition": "random-labels", "crop": True, "weight_decay": 5e-4}
    states_noise.noise(runs, change=states_noise.set_where(value, "train_accuracy", **where))


@case(17, 0.9, 1)
def kept_without_regularizers(runs, value):
    def change(rows, position):
        states_noise.set_where(0.45, "test_accuracy", condition="true", crop=False, weight_decay=0.0)(rows, position)
        where = {"condition": "true", "crop": True, "weight_decay": 0.0}
        return states_noise.set_where(0.45 / value, "test_accuracy", **where)(rows, position)

    states_noise.noise(runs, change=change)


# Claims 19 to 22 ------------------------------------------------------------------------------------------------------


@case(19, 3.0, 1)
def dispersion_of_true_labels(runs, value):
    states_learning.easy(runs, real=value, rand_y=1.5, spread=0)


@case(19, 1.0, 1)
def dispersion_of_random_labels(runs, value):
    states_learning.easy(runs, rand_y=value, spread=0)


@case(19, 0.0, 1)
def true_minus_random_labels(runs, value):
    states_learning.easy(runs, real=5.0, rand_y=5.0 - value, spread=0)


@case(20, 0.1, 1, margin=0.03)
def gini_with_classes(runs, value):
    states_noise_fitting.sensitivity(runs, classes=value, exemplar=0.2)


@case(20, 0.1, 1, margin=0.03)
def gini_with_a_class_each(runs, value):
    states_noise_fitting.sensitivity(runs, classes=0.2, exemplar=value)


@case(21, 1.0, 1, margin=0.03)
def own_class_of_real_inputs(runs, value):
    states_noise_fitting.sensitivity(runs, real=value)


@case(21, 0.0, -1, margin=0.06)
def real_minus_random_inputs(runs, value):
    states_noise_fitting.sensitivity(runs, real=4.0 + value, random=4.0)


@case(22, 1.5, 1, margin=0.03)
def complexity_under_random_inputs(runs, value):
    states_noise_fitting.csr(runs, rand_x=value)


@case(22, 1.5, 1, margin=0.03)
def complexity_under_random_labels(runs, value):
    states_noise_fitting.csr(runs, rand_y=value)


# Claims 23 to 30 ------------------------------------------------------------------------------------------------------


@case(23, 0.40, 1)
def fit_gap_at_the_peak(runs, value):
    states_learning.trajectories(runs, gap=value, spread=0)


@case(24, 0.0, 1)
def order_with_images(runs, value):
    states_capacity.convergence(runs, images=value, spread=0)


@case(24, 0.0, -1)
def order_with_width(runs, value):
    states_capacity.convergence(runs, width=value, spread=0)


@case(25, 0.0, 1)
def best_width_under_noisy_inputs(runs, value):
    states_capacity.noise(runs, inputs=value, spread=0.01)


@case(26, 0.5, 1)
def fall_by_dropout(runs, value):
    states_capacity.regularize(runs, dropout=value, spread=0)


@case(26, 0.0, 1)
def dropout_minus_others(runs, value):
    states_capacity.regularize(runs, other=0.7 - value, spread=0)


@case(26, 0.0, 1)
def combined_minus_dropout(runs, value):
    states_capacity.regularize(runs, both=0.7 + value, spread=0)


@case(27, 0.05, 1)
def gain_by_stopping(runs, value):
    states_learning.trajectories(runs, gain=value, spread=0)


@case(28, -0.02, 1)
def deepest_minus_best(runs, value):
    states_learning.depth(runs, test=(0.4, 0.41, 0.42, 0.42 + value))


@case(29, 0.0, 1, margin=0.01)
def last_minus_best_other(runs, value):
    runs.location(noise=0.1, last_minus_best=value)
    runs.location(noise=1.0, last_minus_best=value)


@case(30, 0.0, 1)
def true_minus_noisy(runs, value):
    states_learning.trajectories(runs, thirds=(0.7 + value, 0.7, 0.4), spread=0)


@case(30, 0.0, 1)
def noisy_minus_random(runs, value):
    states_learning.trajectories(runs, thirds=(0.9, 0.7, 0.7 - value), spread=0)


def state(number, make, value, root):
    runs = Runs(root)
    make(runs, value)
    finished, _ = read_records(runs.folders)
    (line,) = ROWS[number](Evidence(finished))
    assert line.criterion.number == number
    return line.state, line


@pytest.mark.parametrize("name", CASES)
def test_either_side(name, tmp_path):
    number, make, threshold, side, margin = CASES[name]
    for value, wanted in ((threshold + side * margin, "holds"), (threshold - side * margin, "fails")):
        found, line = state(number, make, value, tmp_path / wanted)
        assert found == wanted, f"{value}: {line.measured} ({line.reason})"


# Rank correlations of few values move in steps ------------------------------------------------------------------------


def pools(runs, probes):
    for views, probe in zip((1, 4, 16, None), probes, strict=True):
        benign(runs, probe, views=views)


def strengths(runs, steps):
    runs.diversity((0.42, 0.46, 0.49, 0.46, 0.42), steps)


def order_of_conditions(runs, steps):
    states_noise.noise(runs, steps=dict(zip(states_noise.STEPS, (100 * step for step in steps), strict=True)))


def errors_of_levels(runs, half):
    where = {"condition": "random-labels", "corruption": 0.5}
    states_noise.noise(runs, change=states_noise.set_where(half, "test_accuracy", **where))


def depths(runs, epochs):
    states_learning.depth(runs, epochs=epochs)


@pytest.mark.parametrize(
    ("number", "make", "holding", "failing"),
    [
        (9, pools, (0.40, 0.45, 0.43, 0.50), (0.40, 0.50, 0.45, 0.47)),  # rho .8 and .4
        (11, strengths, (200, 400, 1600, 800, None), (400, 200, 1600, 800, None)),  # .9 and .8
        (15, order_of_conditions, (1, 2, 3, 5, 4), (2, 1, 3, 5, 4)),  # tau .8 and .6
        (18, errors_of_levels, 0.17, 0.05),  # rho .9, beyond the level .75, and .7, beyond that of 1
        (28, depths, (30, 20, 40, 10), (20, 30, 10, 40)),  # -.4 and .4
    ],
)
def test_either_order(number, make, holding, failing, tmp_path):
    for values, wanted in ((holding, "holds"), (failing, "fails")):
        found, line = state(number, make, values, tmp_path / wanted)
        assert found == wanted, f"{values}: {line.measured} ({line.reason})"
