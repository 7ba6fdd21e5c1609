"""Dry runs: steps and samples exact, time of the right order, and nothing left behind."""

from __future__ import annotations

import dataclasses
import time

import pytest

from rote.cli import main
from rote.experiments import (
    CONFIGS,
    BenignConfig,
    CapacityConfig,
    CSRConfig,
    DepthConfig,
    EasyConfig,
    IdealConfig,
    InvarianceConfig,
    LayersConfig,
    SensitivityConfig,
    TrajectoriesConfig,
    TransferConfig,
    benign,
    capacity,
    sensitivity,
)
from rote.experiments.forecasting import benign as forecast_benign
from rote.experiments.forecasting.forecaster import Forecaster, duration
from rote.experiments.forecasting.trainings import trainings_of


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(forecast_benign, "TIMED_SECONDS", 0.1)


def part(forecast, name):
    (found,) = [part for part in forecast.parts if part.name == name]
    return found


@pytest.mark.parametrize(
    "changes", [{}, {"images": 70}, {"batch_size": 200}, {"labels": "fresh"}, {"views": 4}, {"evaluations": 1}]
)
def test_steps_and_samples_are_exact(tiny, changes):
    config = BenignConfig(**{**tiny, **changes})
    forecast = Forecaster().forecast(config)
    run = benign(config)
    assert forecast.steps == run.summary["steps"]
    measured = run.metrics.select(split="train", metric="accuracy_running")
    assert forecast.samples == forecast.steps * min(config.batch_size, config.images)
    assert measured  # the run trained at all
    evaluated = {line["step"] for line in run.metrics.select(metric="probe_accuracy")}
    assert part(forecast, "evaluations").detail.startswith(f"{len(evaluated)}:")


def test_nothing_is_left_behind(tiny):
    Forecaster().forecast(BenignConfig(**tiny))
    assert not tiny["out"].exists()


def test_time_is_of_the_right_order(tiny):
    config = BenignConfig(**{**tiny, "epochs": 400, "width": 8})
    forecast = Forecaster().forecast(config)
    begin = time.perf_counter()
    benign(config)
    taken = time.perf_counter() - begin
    assert taken / 5 < forecast.seconds < taken * 5
    assert forecast.memory_bytes > 50 * 2**20


def test_time_grows_with_the_steps(tiny):
    forecaster = Forecaster()
    short, long = (forecaster.forecast(BenignConfig(**{**tiny, "epochs": epochs})) for epochs in (10, 1000))
    assert part(long, "training").seconds == pytest.approx(100 * part(short, "training").seconds)


def test_finished_runs_take_nothing(tiny):
    config = BenignConfig(**tiny)
    benign(config)
    forecast = Forecaster().forecast(config)
    assert (forecast.finished, forecast.seconds, forecast.steps) == (True, 0, 0)
    assert forecast.lines() == ["benign: finished already, nothing to do"]


def test_examinations_add_their_benign_run(tiny):
    forecaster = Forecaster()
    for kind in (LayersConfig, InvarianceConfig):
        config = kind(**tiny)
        forecast = forecaster.forecast(config)
        assert forecast.steps == 8
        assert part(forecast, "analysis").seconds > 0
        assert forecast.seconds > forecaster.forecast(BenignConfig(**tiny)).seconds
    benign(**tiny)
    forecast = forecaster.forecast(LayersConfig(**tiny))
    assert (forecast.steps, part(forecast, "training").seconds) == (0, 0)
    assert part(forecast, "analysis").seconds > 0


def test_tables_of_several_runs(tiny):
    forecast = Forecaster().forecast(IdealConfig(**tiny))
    assert forecast.steps == 3 * 8
    assert part(forecast, "training").detail == "3 of 3 benign runs are to be made"


def test_capacity_says_the_most_it_can_take(tiny):
    fields = {"images": 8, "views": (1, 2), "width": 2, "projector_width": 8, "lr": (1e-2,), "visits": 20, "epochs": 20}
    config = CapacityConfig(**{**fields, "out": tiny["out"], "device": "cpu"})
    forecast = Forecaster().forecast(config)
    assert forecast.at_most
    assert "at most" in forecast.lines()[0]
    run = capacity(config)
    assert run.summary["steps"] <= forecast.steps
    assert Forecaster().forecast(config).finished
    frontier = dataclasses.replace(config, frontier=True, widths=(2,), frontier_views=1)
    assert Forecaster().forecast(frontier).steps > 0


def test_many_networks(tiny):
    fields = {**tiny, "networks": 3, "transfer_networks": 2, "pretrain_epochs": 3, "starts": ("scratch", "rescaled")}
    config = TransferConfig(**{**fields, "augment": "none"})
    forecast = Forecaster().forecast(config)
    # Halves of 32 images are one batch of 32: 3 networks x 3 epochs, then 2 networks x 2 tasks x 2 starts x 4 epochs.
    assert forecast.steps == 3 * 3 + 2 * 2 * 2 * 4
    assert forecast.samples == 32 * forecast.steps
    assert forecast.seconds > 0


def test_networks_that_learn_in_other_orders(tiny):
    shared = {key: tiny[key] for key in ("data", "images", "batch_size", "out", "device")}
    easy = EasyConfig(**shared, width=8, runs=6, examples=8, filter_epochs=2, filter_width=2, kinds=("real", "randY"))
    forecast = Forecaster().forecast(easy)
    assert forecast.at_most
    assert forecast.steps == 2 * (6 * 2 + 2 * 2)  # two steps an epoch: networks of one, filters of two
    curves = TrajectoriesConfig(**shared, model="mlp", width=4, validation=30, epochs=3, noise=(0.4, 1.0))
    assert Forecaster().forecast(curves).steps == 2 * 2 * 2 * 3
    deep = DepthConfig(**shared, width=4, depths=(1, 3), lr=(1e-3, 1e-2), epochs=5, true_epochs=2)
    # Two depths, two ways to be equal, two normalizations, two rates: seven epochs of both kinds of labels together.
    assert Forecaster().forecast(deep).steps == 2 * 2 * 2 * 2 * 2 * 7


def test_what_is_searched_and_gone_back_over(tiny):
    shared = {"data": "digits", "images": 64, "batch_size": 32, "out": tiny["out"], "device": "cpu"}
    searched = CSRConfig(**shared, width=4, projector_width=16, epochs=3, looks=1, queries=20, iterations=2)
    plain = Forecaster().forecast(dataclasses.replace(searched, conditions=("real",)))
    assert (plain.steps, plain.samples) == (2 * 3, 64 * 3)
    assert Forecaster().forecast(searched).steps == 3 * plain.steps
    back = SensitivityConfig(**shared, side=6, width=4, projector_width=4, epochs=6, looks=2)
    forecast = Forecaster().forecast(back)
    assert (forecast.steps, forecast.samples) == (4 * 2 * 6, 4 * 64 * 6)
    assert part(forecast, "going back").detail == "over 36 epochs in all"
    assert part(forecast, "going back").seconds > part(forecast, "training").seconds > 0
    sensitivity(back)
    assert Forecaster().forecast(back).finished


def test_every_experiment_has_a_dry_run():
    for kind in CONFIGS.values():
        config = kind()
        told = (
            isinstance(config, BenignConfig | CapacityConfig | SensitivityConfig)
            or trainings_of(config, 100)
            or config.benign_runs()
        )
        assert told, kind


def test_command(tiny, tmp_path, capsys):
    words = ["--images", "64", "--width", "4", "--projector-width", "16", "--epochs", "4", "--batch-size", "32"]
    assert main(["run", "benign", "--dry-run", *words, "--out", str(tmp_path / "runs")]) == 0
    text = capsys.readouterr().out
    assert "benign: 8 steps, 256 samples" in text
    for name in ("training", "evaluations", "total", "memory"):
        assert f"\n  {name} " in text
    assert not (tmp_path / "runs").exists()


def test_durations():
    assert [duration(s) for s in (0.04, 9.94, 10, 59.6, 61, 3600, 7384)] == [
        *("0.0 s", "9.9 s", "0:10", "1:00", "1:01", "1:00:00", "2:03:04")
    ]
