"""`torchrun -m rote run benign`: one run folder, and the numbers of one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rote import load_run
from rote.cli.main import main

OPTIONS = [
    "--data=digits",
    "--images=64",
    "--augment=digits",
    "--width=4",
    "--projector-width=16",
    "--batch-size=32",
    "--lr=1e-2",
    "--evaluations=2",
    "--device=cpu",
]


def torchrun(*words: str) -> subprocess.Popen:
    """Two processes of `rote run ...`."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "rote"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, "run", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def finished(process: subprocess.Popen, timeout: float = 200) -> str:
    try:
        output = process.communicate(timeout=timeout)[0]
    finally:
        process.kill()
    assert process.returncode == 0, output
    return output


def only_folder(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def assert_same_summary(found: dict, expected: dict) -> None:
    """Equal but for clocks and rounding, which may turn a few of 64 images and 360 queries."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if key in ("seconds", "images_per_second"):
            continue
        if isinstance(value, float):
            assert found[key] == pytest.approx(value, abs=0.05), key
        elif key not in ("verdict", "probe_gain_interval", "probe_by_layer"):
            assert found[key] == value, key


def test_two_processes_write_the_run_of_one(tmp_path, capsys):
    output = finished(torchrun("benign", *OPTIONS, "--epochs=4", f"--out={tmp_path / 'two'}"))
    assert main(["run", "benign", *OPTIONS, "--epochs=4", f"--out={tmp_path / 'one'}"]) == 0
    assert output.count("run folder:") == 1
    assert output.count("rote: writing") == 1
    two, one = (only_folder(tmp_path / name) for name in ("two", "one"))
    assert two.name == one.name, "how many processes train does not change what is trained"
    assert sorted(p.name for p in two.rglob("*")) == sorted(p.name for p in one.rglob("*"))
    assert_same_summary(load_run(two).summary, load_run(one).summary)
    found, expected = (load_run(folder).metrics.select(metric="loss").column("value") for folder in (two, one))
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-3)
    # Complete: the same command returns at once, in both.
    again = finished(torchrun("benign", *OPTIONS, "--epochs=4", f"--out={tmp_path / 'two'}"))
    assert "rote: writing" not in again


def test_a_killed_run_goes_on(tmp_path):
    words = ["benign", *OPTIONS, "--epochs=200", "--evaluations=4", f"--out={tmp_path}"]
    process = torchrun(*words)
    try:
        deadline = time.monotonic() + 150
        while not list(tmp_path.glob("*/checkpoints/newest.safetensors")):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        folder = only_folder(tmp_path)
        # The lock names its holder, the first of the two processes; torchrun then ends the other.
        os.kill(int((folder / ".lock").read_text().split()[1]), signal.SIGKILL)
        process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode != 0
    assert not (folder / "summary.json").exists()
    done = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])["step"]
    assert done < 400
    assert "run folder:" in finished(torchrun(*words))
    run = load_run(folder)
    assert run.summary["steps"] == 400
    # Every epoch stands there once, whichever process trained it.
    assert run.metrics.select(metric="loss").column("step").tolist() == list(range(2, 401, 2))


def test_other_experiments_are_for_one_process(monkeypatch, capsys):
    monkeypatch.setattr("rote.train.torchrun_count", lambda: 2)
    assert main(["run", "capacity"]) == 2
    assert "under torchrun there is benign alone; run capacity as one process" in capsys.readouterr().err
