"""`rote run suite` at a size of seconds, on pictures."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from rote.cli import main
from rote.experiments import presets
from rote.experiments.forecasting import benign as forecast_benign

TINY = {
    "images": 24,
    "augment": "benign-mild",
    "width": 4,
    "projector_width": 8,
    "epochs": 3,
    "batch_size": 8,
    "evaluations": 1,
    "k": 3,
}


@pytest.fixture
def pictures(tmp_path):
    """A folder of 40 training and 20 test pictures of two classes, 16 px."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 10)):
        for name in ("dark", "light"):
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 128, (16, 16, 3)) + (100 if name == "light" else 0)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "pictures"


@pytest.fixture
def words(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(forecast_benign, "TIMED_SECONDS", 0.02)
    monkeypatch.setattr(presets.laptop, "SHARED", TINY)
    tiny = {"images": 8, "views": (1, 2), "epochs": 10, "visits": 10, "lr": (1e-2,), "width": 2, "data": "digits"}
    monkeypatch.setitem(presets.laptop.OWN, "capacity", {**tiny, "schedule": "constant", "projector_width": 8})
    data = ["--data", "folder", "--root", str(pictures), "--device", "cpu"]
    return ["run", "suite", *data, "--out", str(tmp_path / "suite"), "--seeds", "1"]


def test_a_dry_run_prints_the_plan_alone(words, tmp_path, capsys):
    assert main([*words, "--rows", "1-4,9", "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "with and without augmentation" in text
    assert "pools of B views" in text
    assert not (tmp_path / "suite").exists()


def test_runs_table_and_page_then_nothing_again(words, tmp_path, capsys):
    assert main([*words, "--rows", "1-6,13"]) == 0
    captured = capsys.readouterr()
    assert "run 1 of " in captured.err
    out = tmp_path / "suite"
    rows = list(csv.DictReader((out / "claims.csv").open()))
    states = {row["number"]: row["state"] for row in rows if row["scale"].startswith("folder")}
    # One seed decides nothing; what was not asked for was not run.
    assert {states[number] for number in ("1", "2", "3", "4", "5", "6")} == {"undecided"}
    assert {row["state"] for row in rows if row["number"] == "14"} == {"not run"}
    assert (out / "claims.md").exists()
    assert "<html" in (out / "report.html").read_text()[:2000].lower()
    folders = sorted(path.name for path in out.iterdir())
    assert main([*words, "--rows", "1-6,13"]) == 0
    captured = capsys.readouterr()
    assert "rote: writing" not in captured.err
    assert "there already" in captured.out
    assert sorted(path.name for path in out.iterdir()) == folders


def test_a_stop_is_told_and_gone_on_from(words, tmp_path, capsys, monkeypatch):
    from rote.experiments import EXPERIMENTS
    from rote.experiments.base.stopping import Stopped

    made = []

    def stopping(config):
        if len(made) == 1:
            raise Stopped(tmp_path, 1, 2)
        made.append(config)

    monkeypatch.setitem(EXPERIMENTS, "benign", stopping)
    assert main([*words, "--rows", "3"]) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert len(made) == 1


def test_a_run_that_diverges_does_not_hold_up_the_others(words, tmp_path, capsys, monkeypatch):
    from rote.experiments import EXPERIMENTS
    from rote.train import TrainingDiverged

    real = EXPERIMENTS["benign"]

    def diverging(config):
        if config.augment == "none":
            raise TrainingDiverged(3, 0)
        return real(config)

    monkeypatch.setitem(EXPERIMENTS, "benign", diverging)
    assert main([*words, "--rows", "1,2"]) == 1
    captured = capsys.readouterr()
    assert "not finite at step 3" in captured.err.splitlines()[-1]
    assert len(list((tmp_path / "suite").glob("*/summary.json"))) == 2  # on pictures and on digits, with augmentation


def test_mistakes_are_one_line(capsys):
    assert main(["run", "suite", "--rows", "40"]) == 2
    assert "--rows must be out of 1-30" in capsys.readouterr().err
