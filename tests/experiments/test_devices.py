"""Experiments on a second device: their summaries are those of the CPU.

Without a GPU the second device is emulated (tests/emulated_cuda.py): its numbers are the CPU's, and must agree.
"""

from __future__ import annotations

import pytest

from rote import experiments
from rote.data import ImageBank, Split, load


def small_bank():
    digits = load("digits")
    train, test = digits.train, digits.test
    parts = {"train": Split(train.images[:80], train.labels[:80]), "test": Split(test.images[:30], test.labels[:30])}
    return ImageBank(name="digits", classes=digits.classes, source={}, **parts)


BANK = small_bank()
SHARED = {"data": BANK, "precision": "float32", "width": 4, "projector_width": 8, "epochs": 1, "batch_size": 16}
RUNS = {
    "easy": {"images": 32, "runs": 6, "together": 3, "examples": 16, "kinds": ("real", "randY"), "filter_epochs": 1,
             "filter_width": 4},
    "trajectories": {"epochs": 3, "images": 32, "validation": 10, "networks": 2, "noise": (0.4,)},
    "csr": {"images": 32, "queries": 8, "radius_queries": 4, "iterations": 2, "looks": 1, "conditions": ("real",)},
    "depth": {"images": 32, "validation": 10, "true_epochs": 1, "depths": (1, 2), "lr": (1e-2,),
              "norms": ("batch",), "equal": ("width",)},
    "sensitivity": {"precision": "auto", "images": 16, "side": 4, "batch_size": 8, "looks": 1, "width": 4,
                    "inputs": ("real",)},
    "memorization": {"images": 32, "runs": 8, "together": 4, "noise": 0.25, "influential": 0.3},
    "size": {"study": "noise", "images": 20, "networks": 1, "widths": (4,), "levels": (0.5,), "validation_images": 10,
             "batch_size": 10, "width": None},
    "regularize": {"images": 32, "evaluations": 1, "validation_images": 10, "test_images": 10, "dropout": (0.5,),
                   "techniques": ("dropout", "dropout+adversarial"), "adversarial": (0.5,),
                   "adversarial_dropout": (0.2,), "adversarial_iterations": 2},
    "location": {"images": 40, "model": "mlp", "epochs": 4, "batch_size": 20, "lr": 2e-2, "evaluations": 1,
                 "moments": (1,), "early_epoch": 1, "test_images": 20, "retrain_epochs": 1, "retrain_batch_size": 8,
                 "tied_epochs": 1, "neuron_examples": 1, "neuron_batch_size": 8, "neuron_most": 2, "neuron_draws": 1,
                 "geometry_draws": 2, "geometry_points": 2, "k": 3, "noise": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_summary_is_that_of_the_cpu(second_device, tmp_path, monkeypatch, name):
    # Every step saves, so that states of the device go through files too.
    monkeypatch.setattr("rote.experiments.base.saving.SAVE_EVERY_SECONDS", -1.0)
    own = SHARED | RUNS[name]
    expected, found = (
        getattr(experiments, name)(**own, device=device, out=tmp_path / device).summary for device in ("cpu", "cuda")
    )
    expected, found = (dict(numbers(summary)) for summary in (expected, found))
    assert found.keys() == expected.keys() != set()
    if second_device is not None:
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-7, nan_ok=True)  # a graph's learning rate is a float32
    else:  # in float32 an answer may change with the order of additions; what is left is a share of few images
        accuracies = [key for key in expected if "accuracy" in key]
        assert [found[key] for key in accuracies] == pytest.approx([expected[key] for key in accuracies], abs=0.15)


def numbers(value, place=""):
    """(where it stands, number) of everything in a summary that the clock has no part in."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if "seconds" not in key and key != "benign_run":
                yield from numbers(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{place}[{index}]")
    elif isinstance(value, int | float):
        yield place, value
