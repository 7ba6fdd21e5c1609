"""Run folders under faults: killed writers, full disks, other runs, other processes."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rote.runs import (
    CorruptRunFile,
    RunFolder,
    RunIdentity,
    RunIncomplete,
    RunLocked,
    RunMismatch,
    load_run,
    whole_files,
)
from rote.runs.folder import ENTRIES
from rote.runs.metrics_log import MetricsLog, read_measurements

IDENTITY = RunIdentity("benign", 1, {"lr": 0.001}, "data", "recipe")
OTHER = RunIdentity("benign", 1, {"lr": 0.002}, "data", "recipe")
CONFIG = {"lr": 0.001, "data": "digits"}


def line(step: int, value: float = 0.5, **extras) -> dict:
    return {
        "step": step,
        "epoch": step,
        "split": "train",
        "metric": "loss",
        "layer": None,
        "value": value,
        **extras,
    }


def opened(path, identity=IDENTITY, **options) -> RunFolder:
    return RunFolder.open(path, identity, CONFIG, **options)


class FullDisk:
    """A file whose disk fills up in the middle of a write."""

    def __init__(self, file):
        self.file = file

    def write(self, content):
        self.file.write(bytes(content)[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


def full_disk(*arguments, **options):
    return FullDisk(open(*arguments, **options))


def test_a_run_is_readable_without_rote(tmp_path):
    with opened(tmp_path / "run", environment={"device": {"type": "cpu"}}) as folder:
        folder.measure(0, 0, "train", "accuracy_clean", None, np.float32(0.25), bn="running")
        folder.write_examples({"id": np.arange(3), "is_corrupted": np.array([True, False, True])})
        folder.write_table("capacity.csv", [{"views": 1, "accuracy": 1.0}, {"views": 2, "accuracy": 0.5}])
        folder.write_summary({"verdict": "benign", "interval": (0.1, 0.2), "nothing": float("nan")})
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["experiment"] == "benign"
    assert config["config"] == CONFIG
    assert config["device"] == {"type": "cpu"}
    assert config["command"]
    measured = json.loads((tmp_path / "run/metrics.jsonl").read_text())
    assert measured == {
        "step": 0,
        "epoch": 0,
        "split": "train",
        "metric": "accuracy_clean",
        "layer": None,
        "value": 0.25,
        "bn": "running",
    }
    assert json.loads((tmp_path / "run/summary.json").read_text()) == {
        "verdict": "benign",
        "interval": [0.1, 0.2],
        "nothing": None,
    }
    assert (tmp_path / "run/capacity.csv").read_text() == "views,accuracy\n1,1.0\n2,0.5\n"
    run = load_run(tmp_path / "run")
    assert run.is_complete
    assert run.summary["verdict"] == "benign"
    assert run.examples["id"].tolist() == [0, 1, 2]
    assert run.metrics.select(metric="accuracy_clean").column("value").tolist() == [0.25]
    assert not [p.name for p in (tmp_path / "run").iterdir() if p.name.endswith(whole_files.PARTIAL)]


def test_torn_last_line_is_read_over_and_written_over(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append([line(1), line(2), line(3)])
    whole = log.path.read_bytes()
    for cut in (1, 5, 30):  # cut off at the newline, at the value, in the keys
        log.path.write_bytes(whole[:-cut])
        assert [m["step"] for m in log.read()][:2] == [1, 2]
        log.keep(lambda m: m["step"] <= 2)
        log.append([line(9)])
        assert [m["step"] for m in log.read()] == [1, 2, 9]
        log.path.write_bytes(whole)


def test_line_cut_off_at_its_newline_is_never_glued_to_the_next(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append([line(1), line(2)])
    log.path.write_bytes(log.path.read_bytes()[:-1])
    log.keep(lambda m: True)
    log.append([line(3)])
    assert [m["step"] for m in log.read()] == [1, 2, 3]


def test_broken_line_in_the_middle_is_an_error(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(line(1)) + "\n{\n" + json.dumps(line(2)) + "\n")
    with pytest.raises(CorruptRunFile, match="line 2"):
        read_measurements(path)


def test_resuming_drops_what_will_be_measured_again(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append([line(0), line(10), line(20)])
    log.keep(lambda m: m["step"] <= 10)
    log.append([line(20, 0.75)])
    assert [(m["step"], m["value"]) for m in log.read()] == [(0, 0.5), (10, 0.5), (20, 0.75)]


def test_measurements_need_their_keys(tmp_path):
    with pytest.raises(ValueError, match="metric"):
        MetricsLog(tmp_path / "metrics.jsonl").append([{"step": 1}])


def test_full_disk_while_appending_loses_nothing(tmp_path, monkeypatch):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append([line(1)])
    with monkeypatch.context() as patch:
        patch.setattr("rote.runs.metrics_log.open", full_disk, raising=False)
        with pytest.raises(OSError, match="No space left"):
            log.append([line(2)])
    assert [m["step"] for m in log.read()] == [1]
    log.append([line(2)])
    assert [m["step"] for m in log.read()] == [1, 2]


def test_crash_between_writing_and_renaming_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    whole_files.write_json(path, {"value": 1})

    def crash(*_):
        raise OSError(errno.EIO, "gone")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(OSError, match="gone"):
            whole_files.write_json(path, {"value": 2})
    assert json.loads(path.read_text()) == {"value": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def test_what_a_killed_writer_left_aside_is_cleared(tmp_path):
    with opened(tmp_path / "run"):
        pass
    checkpoints = tmp_path / "run/checkpoints"
    checkpoints.mkdir()
    left = [checkpoints / ".newest.safetensors.4711.partial", checkpoints / ".newest.safetensors.4711"]
    left.append(tmp_path / "run/.views.4711.npz")
    users = tmp_path / "run/.notes"
    for path in (*left, users):
        path.write_bytes(b"half a state")
    with opened(tmp_path / "run"):
        assert not any(path.exists() for path in left)
    assert users.read_bytes() == b"half a state"


def test_every_table_that_is_documented_is_removed_by_fresh():
    pages = Path(__file__).parents[2] / "docs"
    text = "".join(path.read_text() for path in (pages / "experiments.md", *(pages / "experiments").glob("*.md")))
    named = set(re.findall(r"\b[a-z_]+\.(?:csv|parquet|npz|npy)\b", text))
    assert {"layers.csv", "noise.csv", "queries.parquet"} <= named <= ENTRIES


def test_folder_that_was_killed_before_its_first_file_can_be_used(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.config.json.4711.partial").write_text("{")
    with opened(tmp_path / "run") as folder:
        assert (folder.path / "config.json").exists()


def test_other_config_in_the_same_folder(tmp_path):
    with opened(tmp_path / "run") as folder:
        folder.write_summary({"value": 1})
    with pytest.raises(RunMismatch, match=r"lr: 0\.001, now 0\.002"):
        opened(tmp_path / "run", OTHER)
    assert load_run(tmp_path / "run").summary == {"value": 1}


def test_fresh_removes_what_a_run_wrote_and_nothing_else(tmp_path):
    with opened(tmp_path / "run") as folder:
        folder.metrics.append([line(1)])
        folder.write_summary({"value": 1})
    (tmp_path / "run/notes.txt").write_text("mine")
    with opened(tmp_path / "run", OTHER, fresh=True) as folder:
        assert folder.summary() is None
        assert not folder.metrics.read()
    assert (tmp_path / "run/notes.txt").read_text() == "mine"


def test_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(RunMismatch, match="no run wrote"):
        opened(tmp_path, fresh=True)
    with pytest.raises(RunMismatch, match="is a file"):
        opened(tmp_path / "thesis.tex")


def test_two_writers_in_one_process(tmp_path):
    with opened(tmp_path / "run"), pytest.raises(RunLocked, match=f"process {os.getpid()}"):
        opened(tmp_path / "run")
    opened(tmp_path / "run").close()


def test_two_processes_and_a_kill(tmp_path):
    program = """
import sys, time
from pathlib import Path
from rote.runs.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("locked", flush=True)
time.sleep(60)
"""
    (tmp_path / "run").mkdir()
    holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(RunLocked, match=f"process {holder.pid}"):
            opened(tmp_path / "run")
    finally:
        holder.kill()
        holder.wait()
    opened(tmp_path / "run").close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_read_only_folder(tmp_path):
    with opened(tmp_path / "run") as folder:
        folder.write_summary({"value": 1})
    (tmp_path / "run").chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            whole_files.write_json(tmp_path / "run/summary.json", {"value": 2})
        assert load_run(tmp_path / "run").summary == {"value": 1}
    finally:
        (tmp_path / "run").chmod(0o755)


def test_columns_must_have_one_length(tmp_path):
    with pytest.raises(ValueError, match="one length"):
        whole_files.write_parquet(tmp_path / "t.parquet", {"a": [1, 2], "b": [1]})


def test_what_cannot_be_stored_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(TypeError, match="object"):
        whole_files.write_json(tmp_path / "x.json", {"value": object()})
    assert list(tmp_path.iterdir()) == []


def test_loading_says_what_is_missing(tmp_path):
    with pytest.raises(RunIncomplete, match="not a run folder"):
        load_run(tmp_path)
    with opened(tmp_path / "run"):
        pass
    run = load_run(tmp_path / "run")
    assert not run.is_complete
    assert run.metrics == []
    with pytest.raises(RunIncomplete, match=r"summary\.json"):
        _ = run.summary
    with pytest.raises(RunIncomplete, match=r"examples\.parquet"):
        _ = run.examples
    with pytest.raises(RunIncomplete, match="checkpoints"):
        run.encoder()


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_damaged_files_are_named(tmp_path, content):
    with opened(tmp_path / "run"):
        pass
    (tmp_path / "run/summary.json").write_bytes(content)
    with pytest.raises(CorruptRunFile, match=r"summary\.json"):
        _ = load_run(tmp_path / "run").summary
    (tmp_path / "run/examples.parquet").write_bytes(content)
    with pytest.raises(CorruptRunFile, match=r"examples\.parquet"):
        _ = load_run(tmp_path / "run").examples
    (tmp_path / "run/config.json").write_bytes(content)
    with pytest.raises(CorruptRunFile, match=r"config\.json"):
        load_run(tmp_path / "run")
