"""Runs that are stopped, by kill -9 or Ctrl-C, go on and end in the summary of a run that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rote.cli import main
from rote.experiments import Stopped, benign, capacity
from rote.experiments.benign import record as benign_record
from rote.experiments.benign import run as benign_run
from rote.experiments.capacity import run as capacity_run
from rote.runs import load_run
from rote.train import Progress

FIELDS = {
    "images": 64,
    "augment": "digits",
    "width": 4,
    "projector_width": 16,
    "epochs": 60,
    "batch_size": 32,
    "lr": 1e-2,
    "evaluations": 5,
}
CAPACITY = {"images": 16, "epochs": 100, "lr": (1e-2,), "width": 2, "projector_width": 8}
OPTIONS = [word for field, value in FIELDS.items() for word in (f"--{field.replace('_', '-')}", str(value))]


def started(out: Path) -> subprocess.Popen:
    """`rote run benign` in a process of its own, stopped in its middle by the test."""
    return subprocess.Popen(
        [sys.executable, "-m", "rote", "run", "benign", *OPTIONS, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for_a_measurement(out: Path, process: subprocess.Popen, count: int = 20) -> Path:
    """Waits until the run has measured something along training."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for path in out.glob("*/metrics.jsonl"):
            if path.read_bytes().count(b"\n") >= count:
                return path.parent
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    raise AssertionError("the run measured nothing in two minutes")


@pytest.fixture(scope="module")
def one_thread():
    """Sums in another number of threads end in other bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def straight(tmp_path_factory, one_thread):
    """The run that nobody stopped."""
    return benign(**FIELDS, out=tmp_path_factory.mktemp("straight"))


def same(stopped, straight, without_times) -> bool:
    return (
        without_times(stopped.summary) == without_times(straight.summary)
        and list(stopped.metrics) == list(straight.metrics)
        and all((stopped.examples[name] == straight.examples[name]).all() for name in straight.examples)
        and (stopped.dir / "queries.parquet").read_bytes() == (straight.dir / "queries.parquet").read_bytes()
    )


def test_kill_and_go_on(tmp_path, straight, without_times, one_thread):
    process = started(tmp_path)
    folder = wait_for_a_measurement(tmp_path, process)
    process.kill()
    process.wait()
    assert not (folder / "summary.json").exists()
    assert (folder / "checkpoints/newest.safetensors").exists()
    assert same(benign(**FIELDS, out=tmp_path), straight, without_times)
    assert folder.name == straight.dir.name
    assert not [path for path in folder.rglob(".*") if path.name != ".lock"]


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, straight, without_times, one_thread):
    process = started(tmp_path)
    folder = wait_for_a_measurement(tmp_path, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same command goes on" in errors
    assert "Traceback" not in errors
    assert not load_run(folder).is_complete
    assert same(benign(**FIELDS, out=tmp_path), straight, without_times)


def test_a_second_process_is_refused_meanwhile(tmp_path, capsys):
    process = started(tmp_path)
    try:
        wait_for_a_measurement(tmp_path, process, count=1)
        assert main(["run", "benign", *OPTIONS, "--out", str(tmp_path)]) == 2
        assert f"process {process.pid}" in capsys.readouterr().err
    finally:
        process.kill()
        process.wait()


def test_killed_before_the_first_checkpoint(tmp_path, straight, without_times, monkeypatch, one_thread):
    with monkeypatch.context() as patch:
        patch.setattr(benign_run, "save_checkpoint", _crash)
        with pytest.raises(KeyboardInterrupt):
            benign(**FIELDS, out=tmp_path)
    assert load_run(tmp_path / straight.dir.name).metrics  # measured, but not saved: to be measured again
    assert same(benign(**FIELDS, out=tmp_path), straight, without_times)


def test_killed_between_the_last_checkpoint_and_the_summary(tmp_path, straight, without_times, monkeypatch, one_thread):
    with monkeypatch.context() as patch:
        patch.setattr(benign_record, "save_view_samples", _crash)
        with pytest.raises(KeyboardInterrupt):
            benign(**FIELDS, out=tmp_path)
    assert same(benign(**FIELDS, out=tmp_path), straight, without_times)


def test_capacity_goes_on_cell_by_cell(tmp_path, without_times, monkeypatch):
    fields = {**CAPACITY, "views": (1, 2), "visits": 50, "single_views": False}
    straight = capacity(**fields, out=tmp_path / "straight")
    trained = []

    def crash_at_the_third(path, value):
        trained.append(path.name)
        if len(trained) == 3:
            raise KeyboardInterrupt
        write_json(path, value)

    from rote.runs.whole_files import write_json

    with monkeypatch.context() as patch:
        patch.setattr(capacity_run, "write_json", crash_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            capacity(**fields, out=tmp_path)
    cells = tmp_path / straight.dir.name / "cells"
    kept = {path.name: path.stat().st_mtime_ns for path in cells.iterdir()}
    assert set(kept) == set(trained[:2])
    run = capacity(**fields, out=tmp_path)
    assert {name: (cells / name).stat().st_mtime_ns for name in kept} == kept
    assert without_times(run.summary) == without_times(straight.summary)
    assert list(run.metrics) == list(straight.metrics)


@pytest.mark.parametrize(("moment", "frontier"), [(90, False), (260, False), (60, True)])
def test_capacity_goes_on_in_the_middle_of_a_cell(tmp_path, without_times, killed_at, one_thread, moment, frontier):
    fields = {**CAPACITY, "views": (3,), "label_modes": ("random",), "visits": 100, "lr": (3e-2, 3e-3)}
    if frontier:
        fields |= {"frontier": True, "widths": (1, 2), "augment": "none", "visits": 50}
    straight = capacity(**fields, out=tmp_path / "straight")
    killed_at(moment, lambda: capacity(**fields, out=tmp_path))
    folder = tmp_path / straight.dir.name
    assert list((folder / "checkpoints").glob("*/*.safetensors"))
    run = capacity(**fields, out=tmp_path)
    assert without_times(run.summary) == without_times(straight.summary)
    assert list(run.metrics) == list(straight.metrics)
    assert not list((folder / "checkpoints").glob("*"))


def test_ctrl_c_saves_the_cell(tmp_path, without_times, monkeypatch, one_thread):
    fields = {**CAPACITY, "views": (3,), "label_modes": ("random",), "visits": 100}
    straight = capacity(**fields, out=tmp_path / "straight")
    update, steps = Progress.update, 0

    def ask_to_stop(self, step, **values):
        nonlocal steps
        steps += 1
        if steps == 150:
            os.kill(os.getpid(), signal.SIGINT)
        update(self, step, **values)

    with monkeypatch.context() as patch:
        patch.setattr("rote.train.Progress.update", ask_to_stop)
        with pytest.raises(Stopped, match="the same command goes on"):
            capacity(**fields, out=tmp_path)
    assert list((tmp_path / straight.dir.name / "checkpoints").glob("*/*.safetensors"))
    run = capacity(**fields, out=tmp_path)
    assert without_times(run.summary) == without_times(straight.summary)
    assert list(run.metrics) == list(straight.metrics)


def _crash(*_arguments, **_options):
    raise KeyboardInterrupt
