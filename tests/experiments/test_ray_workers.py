"""Actors on a local Ray: a killed one is replaced and its run repeated, results are those of one process."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rote.experiments import MemorizationConfig, SizeConfig, memorization
from rote.experiments.sweep import SweepOptions, make, summary_rows, sweep_plan
from rote.experiments.sweep.attempts import read_attempts
from rote.experiments.workers import open_workers
from rote.runs import load_run

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray (the extra [ray])")

SIZE = {"images": 64, "widths": (4,), "replicas": 8, "together": 8, "epochs": 40, "batch_size": 16, "device": "cpu"}


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Two CPUs of this machine. Sockets lie in the folder, whose paths may have 107 letters: its name is short."""
    import ray

    folder = tempfile.mkdtemp(prefix="ray-")
    for attempt in (1, 2, 3):
        try:
            ray.init(
                num_cpus=2,
                include_dashboard=False,
                object_store_memory=80 * 2**20,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=folder,
            )
            break
        except Exception as error:  # on a machine that is busy Ray's own half minute may not suffice
            ray.shutdown()
            if attempt == 3 or "timed out" not in str(error):
                raise
    yield
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


class Killer(threading.Thread):
    """kill -9 for the first process that is seen at work in one of the folders."""

    def __init__(self, folders: list[Path]) -> None:
        super().__init__(daemon=True)
        self.folders = folders
        self.killed: tuple[int, Path] | None = None

    def run(self) -> None:
        limit = time.monotonic() + 120
        while self.killed is None and time.monotonic() < limit:
            for folder in self.folders:
                lock, config = folder / ".lock", folder / "config.json"
                found = re.match(r"process (\d+) on", lock.read_text()) if config.exists() else None
                if found and int(found[1]) != os.getpid():
                    os.kill(int(found[1]), signal.SIGKILL)
                    self.killed = (int(found[1]), folder)
                    return
            time.sleep(0.005)


def test_a_killed_worker_is_replaced_and_the_rest_goes_on(tmp_path):
    alone = sweep_plan(SizeConfig(**SIZE, out=tmp_path / "alone"), {"lr": (1e-3, 1e-2)}, 2)
    assert not make(alone, SweepOptions(seeds=2)).failed
    plan = sweep_plan(SizeConfig(**SIZE, out=tmp_path / "ray"), {"lr": (1e-3, 1e-2)}, 2)
    killer = Killer([run.folder for run in plan.runs])
    killer.start()
    result = make(plan, SweepOptions(seeds=2, executor="ray", workers=2))
    killer.join()
    assert killer.killed is not None
    attempts = read_attempts(plan.folder)
    died = [line for line in attempts if line["state"] == "died"]
    assert len(died) == 1
    assert plan.runs[died[0]["run_id"]].folder == killer.killed[1]
    assert (result.made, result.skipped, result.failed) == (4, 0, ())
    assert [line["state"] for line in attempts if line["config_hash"] == died[0]["config_hash"]] == ["died", "finished"]
    for own, other in zip(plan.runs, alone.runs, strict=True):
        assert own.config_hash == other.config_hash
        one, two = load_run(own.folder), load_run(other.folder)
        assert np.array_equal(one.examples["memorization_4"], two.examples["memorization_4"])
    assert summary_rows(plan) == summary_rows(alone)
    again = make(plan, SweepOptions(seeds=2, executor="ray", workers=2))
    assert (again.made, again.skipped) == (0, 4)


def test_subset_models_on_actors_give_the_same_scores(tmp_path):
    fields = {"images": 64, "runs": 12, "together": 4, "width": 4, "epochs": 6, "batch_size": 16, "noise": 0.2}
    fields |= {"device": "cpu", "lr": 1e-2}
    here = memorization(**fields, out=tmp_path / "here")
    there = memorization(**fields, out=tmp_path / "there", executor="ray", workers=1)
    assert here.dir.name == there.dir.name
    for name in ("subset", "correct_train", "correct_test"):
        assert (here.dir / f"{name}.npy").read_bytes() == (there.dir / f"{name}.npy").read_bytes()
    assert np.array_equal(here.examples["memorization"], there.examples["memorization"], equal_nan=True)


def test_more_workers_than_devices_are_refused():
    with pytest.raises(ValueError, match=r"--workers must be at most 2, the CPUs .* got 3"):
        open_workers("ray", 3)


def test_a_bank_of_ones_own_cannot_be_sent(tmp_path):
    from rote import data

    config = MemorizationConfig(images=64, runs=8, width=4, executor="ray", workers=2, out=tmp_path)
    with pytest.raises(ValueError, match="data must be the name of a data set"):
        memorization(config, data=data.load("digits"))
