"""Thresholds of claims 15 to 30."""

from __future__ import annotations

from . import states_capacity, states_learning, states_noise, states_noise_fitting
from .thresholds import case

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
