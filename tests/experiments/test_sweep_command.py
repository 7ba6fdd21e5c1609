"""`rote sweep` and `rote scores` from the command line: cost, table, failures, mistakes."""

from __future__ import annotations

import csv

import pytest

from rote.cli import main
from rote.experiments import Stopped
from rote.train import TrainingDiverged

COMMAND = ["sweep", "memorization", "--images", "48", "--runs", "8", "--together", "8", "--epochs", "2"]
COMMAND += ["--batch-size", "16", "--device", "cpu", "--no-forecast"]


def test_command_prints_its_cost_and_makes_the_table(tmp_path, capsys):
    words = [*COMMAND, "--grid", "width=4,8", "--grid=lr=1e-3", "--seeds", "2", "--out", str(tmp_path)]
    assert main([*words, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "sweep of memorization: 4 runs (2 width x 1 lr, 2 seeds), 0 of them there" in printed
    assert "width=8, lr=0.001, seed 1" in printed
    assert not list(tmp_path.glob("memorization-*"))
    assert main([*words, "--metrics", "test_accuracy"]) == 0
    printed = capsys.readouterr().out
    assert "runs: 4 made, 0 there before, 0 failed" in printed
    (folder,) = tmp_path.glob("sweep-*")
    with open(folder / "sweep.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["width"] for row in rows] == ["4", "8"]
    assert set(rows[0]) == {"width", "lr", "seeds", "test_accuracy", "test_accuracy_low", "test_accuracy_high"}
    assert main(words) == 0
    assert "runs: 0 made, 4 there before, 0 failed" in capsys.readouterr().out


def test_command_tells_of_failures_and_stops(tmp_path, capsys, stub):
    words = [*COMMAND, "--seeds", "2", "--out", str(tmp_path)]
    stub((0, 1, Stopped(tmp_path, 1, 2)))
    assert main(words) == 130
    assert "the same command goes on" in capsys.readouterr().err
    stub((1, 1, TrainingDiverged(3, 0)))
    assert main(words) == 1
    captured = capsys.readouterr()
    assert "1 failed" in captured.out
    assert "seed 1: diverged" in captured.err


def test_lists_and_truth_values_in_a_grid(tmp_path, capsys):
    words = ["sweep", "size", "--images", "64", "--no-forecast", "--dry-run", "--out", str(tmp_path)]
    assert main([*words, "--grid", "widths=4,8;16"]) == 0
    printed = capsys.readouterr().out
    assert "widths=4+8, seed 0" in printed
    assert "widths=16, seed 0" in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep", "nothing"], "no experiment 'nothing'"),
        ([*COMMAND, "--grid", "lr"], "--grid must be like"),
        ([*COMMAND, "--grid", "speed=1"], "--grid speed"),
        ([*COMMAND, "--grid", "lr=1,2", "--grid", "lr=3"], "given twice"),
        ([*COMMAND, "--grid"], "--grid needs a value"),
        (["scores", "nothing"], "no scores 'nothing'"),
    ],
)
def test_mistakes_are_one_line(words, message, capsys):
    assert main(words) == 2
    assert message in capsys.readouterr().err


def test_scores_memorization_is_the_experiment(tmp_path, capsys):
    words = ["scores", "memorization", *COMMAND[2:-1], "--width", "4", "--out", str(tmp_path)]
    assert main(words) == 0
    assert "no single score is to be quoted" in capsys.readouterr().out
    (folder,) = tmp_path.glob("memorization-*")
    assert (folder / "estimates.parquet").exists()
    assert (folder / "report.html").exists()
    assert main([*words, "--dry-run"]) == 0
    assert "finished" in capsys.readouterr().out
