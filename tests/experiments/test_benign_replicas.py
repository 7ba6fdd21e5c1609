"""Several seeds at once leave the folders that they would leave one by one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from rote.cli import main
from rote.experiments import benign, ideal
from rote.experiments.benign import replicas as benign_replicas
from rote.runs import load_run
from rote.train import TrainingDiverged


def folders(out) -> dict:
    return {run.config["seed"]: run for run in map(load_run, sorted(out.iterdir()))}


def test_folders_are_those_of_single_runs(tiny):
    tiny |= {"keep_checkpoints": (2,)}
    alone = {seed: benign(**{**tiny, "out": tiny["out"] / "alone"}, seed=seed) for seed in (3, 4, 5)}
    first = benign(**{**tiny, "out": tiny["out"] / "together"}, seed=3, replicas=3)
    together = folders(tiny["out"] / "together")
    assert first.dir == together[3].dir
    assert together.keys() == alone.keys()
    for seed, run in together.items():
        single = alone[seed]
        assert run.dir.name == single.dir.name
        assert {path.name for path in run.dir.iterdir()} == {path.name for path in single.dir.iterdir()}
        assert run.config | {"out": None} == single.config | {"out": None}
        for name in ("id", "label_true", "label_used", "label_redrawn"):
            assert run.examples[name].tolist() == single.examples[name].tolist()
        assert abs(run.examples["confidence"] - single.examples["confidence"]).max() < 1e-3
        keys = ("step", "epoch", "split", "metric", "layer", "references")
        assert [[m.get(k) for k in keys] for m in run.metrics] == [[m.get(k) for k in keys] for m in single.metrics]
        for ours, theirs in zip(run.metrics, single.metrics, strict=True):
            assert ours["value"] == pytest.approx(theirs["value"], abs=0.02), ours
        assert run.summary.keys() == single.summary.keys()
        kept, expected = run.encoder(epoch=2).state_dict(), single.encoder(epoch=2).state_dict()
        assert all(torch.allclose(kept[name], expected[name], atol=1e-4) for name in expected)
        assert not (run.dir / "checkpoints" / benign_replicas.STATE).exists()
    assert len({run.summary["train_loss"] for run in together.values()}) == 3
    # One that is there is left as it is, and a longer list trains only what is missing.
    before = (first.dir / "summary.json").stat().st_mtime_ns
    benign(**{**tiny, "out": tiny["out"] / "together"}, seed=3, replicas=4)
    assert (first.dir / "summary.json").stat().st_mtime_ns == before
    assert folders(tiny["out"] / "together").keys() == {3, 4, 5, 6}


FIELDS = {"images": 64, "augment": "digits", "width": 4, "projector_width": 16, "epochs": 60, "batch_size": 32}


def test_kill_and_go_on(tmp_path, without_times):
    fields = {**FIELDS, "lr": 1e-2, "evaluations": 5, "replicas": 2}
    options = [word for field, value in fields.items() for word in (f"--{field.replace('_', '-')}", str(value))]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    benign(**fields, out=tmp_path / "straight")
    process = subprocess.Popen(
        [sys.executable, "-m", "rote", "run", "benign", *options, "--out", str(tmp_path / "stopped")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 120
    while not any(p.read_bytes().count(b"\n") >= 60 for p in tmp_path.glob("stopped/*/metrics.jsonl")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    benign(**fields, out=tmp_path / "stopped")
    torch.set_num_threads(threads)
    straight, stopped = folders(tmp_path / "straight"), folders(tmp_path / "stopped")
    assert straight.keys() == stopped.keys() == {0, 1}
    for seed in straight:
        assert without_times(stopped[seed].summary) == without_times(straight[seed].summary)
        assert list(stopped[seed].metrics) == list(straight[seed].metrics)


def test_killed_between_two_summaries(tiny, without_times, monkeypatch):
    straight = {seed: benign(**{**tiny, "out": tiny["out"] / "s"}, seed=seed, replicas=1) for seed in (0, 1)}
    written = []
    results = benign_replicas.BenignRecord.write_results

    def crash_at_the_second(record, *arguments):
        written.append(record)
        if len(written) == 2:
            raise KeyboardInterrupt
        results(record, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(benign_replicas.BenignRecord, "write_results", crash_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            benign(**{**tiny, "out": tiny["out"] / "t"}, replicas=2)
    benign(**{**tiny, "out": tiny["out"] / "t"}, replicas=2)
    for seed, run in folders(tiny["out"] / "t").items():
        assert run.is_complete
        assert run.summary["steps"] == straight[seed].summary["steps"]
        assert len(run.metrics) == len(straight[seed].metrics)


def test_a_network_that_diverges_is_named_and_has_no_summary(tiny):
    with pytest.raises(TrainingDiverged, match="not finite"):
        benign(**{**tiny, "lr": 1e30, "loss": "ce"}, replicas=2)
    assert not any(run.is_complete for run in folders(tiny["out"]).values())


def test_what_replicas_cannot_be(tiny, capsys):
    with pytest.raises(ValueError, match="--replicas must be at least 1"):
        benign(**tiny, replicas=0)
    with pytest.raises(ValueError, match="--name is the name of one folder"):
        benign(**tiny, replicas=2, name="mine")
    with pytest.raises(ValueError, match="wants a network by name"):
        benign(**tiny, model=nn.Linear(1, 1), replicas=2)
    with pytest.raises(ValueError, match="--replicas belongs to benign"):
        ideal(**{**tiny, "replicas": 2})
    assert main(["run", "benign", "--replicas", "0", "--out", str(tiny["out"])]) == 2
    assert "--replicas" in capsys.readouterr().err
