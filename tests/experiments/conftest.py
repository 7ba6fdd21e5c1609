"""Experiments in seconds: a narrow network, few images, few epochs."""

from __future__ import annotations

import numpy as np
import pytest

from rote.experiments import EXPERIMENTS
from rote.runs.folder import EXAMPLES

TIMES = ("seconds", "images_per_second")


@pytest.fixture
def tiny(tmp_path):
    """Options of a `benign` run that takes a second or two."""
    return {
        "data": "digits",
        "images": 64,
        "augment": "digits",
        "width": 4,
        "projector_width": 16,
        "epochs": 4,
        "batch_size": 32,
        "lr": 1e-2,
        "evaluations": 2,
        "device": "cpu",
        "out": tmp_path / "runs",
    }


@pytest.fixture
def without_times():
    """Takes what depends on the clock out of a summary."""

    def strip(summary: dict) -> dict:
        return {key: value for key, value in summary.items() if key not in TIMES}

    return strip


@pytest.fixture
def killed_at(monkeypatch):
    """Makes a run that is torn out of its training, with every step saved: what a killed process leaves."""

    def run(moment, call):
        """Calls `call` until progress is told of for the `moment`-th time."""
        steps = 0

        def crash(self, step, **values):
            nonlocal steps
            steps += 1
            if steps == moment:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("rote.experiments.base.saving.SAVE_EVERY_SECONDS", -1.0)
            patch.setattr("rote.train.Progress.update", crash)
            with pytest.raises(KeyboardInterrupt):
                call()

    return run


@pytest.fixture
def assert_goes_on(tmp_path, without_times, killed_at):
    """Tears an experiment out of its training, and holds what the same call then ends in to a run never stopped."""

    def check(experiment, fields, moment, whole):
        """The run that went on; `whole` is the one of the same fields that was not stopped."""
        killed_at(moment, lambda: experiment(**fields, out=tmp_path))
        assert list((tmp_path / whole.dir.name / "checkpoints").glob("*.safetensors"))
        again = experiment(**fields, out=tmp_path)
        assert without_times(again.summary) == without_times(whole.summary)
        assert list(again.metrics) == list(whole.metrics)
        if (whole.dir / EXAMPLES).exists():
            for column, values in whole.examples.items():
                assert np.array_equal(again.examples[column], values), column
        return again

    return check


class Stub:
    """An experiment that writes a summary, or fails as it is told; counts its calls by seed."""

    def __init__(self, *failures: tuple[int, int, Exception]) -> None:
        self.failures = failures  # (seed, attempt, what is raised)
        self.calls: list[int] = []

    def __call__(self, config):
        self.calls.append(config.seed)
        for seed, attempt, error in self.failures:
            if (seed, attempt) == (config.seed, self.calls.count(config.seed)):
                raise error
        from rote.experiments.base.launch import launch

        start = launch(config, model=None, data=None, taps=None, fields={})
        with start.place.open(fresh=False) as folder:
            folder.write_summary({"epochs": config.epochs, "accuracy": config.seed / 10, "seed": config.seed})


@pytest.fixture
def stub(monkeypatch):
    """Puts a `Stub` in the place of `memorization`."""

    def install(*failures):
        found = Stub(*failures)
        monkeypatch.setitem(EXPERIMENTS, "memorization", found)
        return found

    return install
