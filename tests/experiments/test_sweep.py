"""`rote sweep`: plan, skipping, failures, retries, stops, and the table against numbers reckoned apart."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from rote.experiments import EXPERIMENTS, MemorizationConfig, SizeConfig, Stopped
from rote.experiments.sweep import SweepOptions, make, plan_of, summary_rows, sweep_plan, write_tables
from rote.experiments.sweep import course as course_module
from rote.experiments.sweep.attempts import ATTEMPTS, Attempts, read_attempts
from rote.experiments.sweep.cost import cost_lines
from rote.experiments.workers import InProcess, Job, Outcome, open_workers, perform, performed
from rote.runs import CorruptRunFile, RunLocked, RunMismatch, load_run
from rote.runs.lock import FolderLock
from rote.train import TrainingDiverged, TrainingOutOfMemory

TINY = {"images": 48, "runs": 8, "together": 8, "width": 4, "epochs": 2, "batch_size": 16, "device": "cpu"}
GRID = {"lr": (1e-3, 1e-2), "loss": ("ce",)}


def config(out: Path, **changes) -> MemorizationConfig:
    return MemorizationConfig(**{**TINY, "out": out, **changes})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    plan = sweep_plan(config(tmp_path_factory.mktemp("runs")), GRID, 3)
    return plan, make(plan, SweepOptions(seeds=3))


def test_plan_is_every_combination_and_seed(made):
    plan, result = made
    assert (result.made, result.skipped, result.failed) == (6, 0, ())
    assert [run.run_id for run in plan.runs] == list(range(6))
    assert [(run.values["lr"], run.values["loss"], run.seed) for run in plan.runs] == [
        (lr, loss, seed) for lr in GRID["lr"] for loss in GRID["loss"] for seed in range(3)
    ]
    rows = plan_of(plan.folder)
    assert [row["config_hash"] for row in rows] == [run.config_hash for run in plan.runs]
    assert len({row["config_hash"] for row in rows}) == 6
    assert rows[4]["values"] == {"lr": 1e-2, "loss": "ce"}
    for row, run in zip(rows, plan.runs, strict=True):
        stored = load_run(row["folder"])
        assert stored.record["hash"] == row["config_hash"]
        assert (stored.config["lr"], stored.config["loss"], stored.config["seed"]) == (*run.values.values(), run.seed)


def test_the_last_field_varies_fastest_and_seeds_before_it(tmp_path):
    grid = {"lr": (1e-3, 1e-2), "loss": ("ce", "mse")}
    plan = sweep_plan(config(tmp_path), grid, 2)
    assert [(run.values["lr"], run.values["loss"], run.seed) for run in plan.runs] == [
        (lr, loss, seed) for lr in grid["lr"] for loss in grid["loss"] for seed in range(2)
    ]
    assert [len(runs) for runs in plan.combinations] == [2] * 4


def test_table_is_means_with_t_intervals(made):
    plan, _ = made
    for path in write_tables(plan):
        assert path.exists()
    rows = summary_rows(plan)
    assert [(row["lr"], row["loss"], row["seeds"]) for row in rows] == [
        (lr, loss, 3) for lr in GRID["lr"] for loss in GRID["loss"]
    ]
    for row, runs in zip(rows, plan.combinations, strict=True):
        values = [load_run(run.folder).summary["test_accuracy"] for run in runs]
        low, high = scipy.stats.t.interval(0.95, 2, np.mean(values), scipy.stats.sem(values))
        found = (row["test_accuracy"], row["test_accuracy_low"], row["test_accuracy_high"])
        assert found == pytest.approx((np.mean(values), low, high))
        assert "auc" not in row, "no run has a number of it"
        assert not {"seed", "seconds", "epochs"} & set(row)
    with open(plan.folder / "sweep.csv", newline="") as file:
        assert [float(line["test_accuracy"]) for line in csv.DictReader(file)] == [r["test_accuracy"] for r in rows]
    write_tables(plan, ("test_accuracy",))
    latex = (plan.folder / "sweep.tex").read_text()
    assert r"lr & loss & seeds & test accuracy & 95\,\% interval" in latex
    assert latex.count(r"\\") == 3
    with pytest.raises(ValueError, match="--metrics must be numbers of"):
        summary_rows(plan, ("speed",))


def test_finished_runs_are_skipped(made, monkeypatch):
    plan, _ = made
    monkeypatch.setitem(EXPERIMENTS, "memorization", lambda config: pytest.fail("nothing is left to do"))
    result = make(plan, SweepOptions(seeds=3))
    assert (result.made, result.skipped) == (0, 6)
    assert cost_lines(plan)[0].endswith("6 of them there")


def test_runs_that_fail_are_noted_and_the_rest_goes_on(tmp_path, stub):
    found = stub(
        (0, 1, TrainingDiverged(3, 0)),
        (1, 1, TrainingOutOfMemory("too large")),
        (2, 1, ValueError("no such thing")),
        (2, 2, MemoryError()),
    )
    plan = sweep_plan(config(tmp_path), {}, 4)
    result = make(plan, SweepOptions(seeds=4))
    # Seed 0 diverged and would again; 1 and 2 were tried once more, behind the others; 2 failed twice.
    assert found.calls == [0, 1, 2, 3, 1, 2]
    assert [(line["run_id"], line["state"]) for line in read_attempts(plan.folder)] == [
        (0, "diverged"), (1, "memory"), (2, "error"), (3, "finished"), (1, "finished"), (2, "memory"),
    ]  # fmt: skip
    assert [run.seed for run, _ in result.failed] == [0, 2]
    assert "diverged" in result.failed[0][1]
    assert result.made == 2
    again = make(plan, SweepOptions(seeds=4))
    assert (again.made, again.skipped, len(again.failed)) == (0, 2, 2)
    assert len(found.calls) == 6
    told = make(plan, SweepOptions(seeds=4, retries=2, retry=("diverged", "memory", "error")))
    assert found.calls[6:] == [0, 2]
    assert (told.made, told.failed) == (2, ())
    (row,) = summary_rows(plan)
    assert row["accuracy"] == pytest.approx(0.15)


def test_no_retries(tmp_path, stub):
    found = stub((1, 1, MemoryError()))
    result = make(sweep_plan(config(tmp_path), {}, 2), SweepOptions(seeds=2, retries=0))
    assert found.calls == [0, 1]
    assert len(result.failed) == 1


def test_a_number_that_runs_lack_is_counted(tmp_path, stub):
    stub()
    plan = sweep_plan(config(tmp_path), {}, 3)
    make(plan, SweepOptions(seeds=3))
    path = plan.runs[1].folder / "summary.json"
    path.write_text(json.dumps({"epochs": 2, "accuracy": None}))
    (row,) = summary_rows(plan)
    assert (row["seeds"], row["accuracy_seeds"]) == (3, 2)
    assert row["accuracy"] == pytest.approx(0.1)


def test_ctrl_c_stops_the_sweep_and_the_same_call_goes_on(tmp_path, stub):
    stub((2, 1, Stopped(tmp_path, 1, 2)))
    plan = sweep_plan(config(tmp_path), {}, 4)
    with pytest.raises(Stopped):
        make(plan, SweepOptions(seeds=4))
    assert [line["state"] for line in read_attempts(plan.folder)] == ["finished", "finished"]
    result = make(plan, SweepOptions(seeds=4))
    assert (result.skipped, result.made) == (2, 2)


_SCRIPT = """
import sys
from pathlib import Path
from rote.experiments import MemorizationConfig
from rote.experiments.sweep import SweepOptions, make, sweep_plan
config = MemorizationConfig(**{fields!r}, out=Path(sys.argv[1]))
make(sweep_plan(config, {{}}, 2), SweepOptions(seeds=2))
"""


def test_kill_9_in_the_middle_of_a_sweep(tmp_path):
    fields = {**TINY, "runs": 16, "epochs": 6}
    whole = sweep_plan(MemorizationConfig(**fields, out=tmp_path / "whole"), {}, 2)
    make(whole, SweepOptions(seeds=2))
    plan = sweep_plan(MemorizationConfig(**fields, out=tmp_path / "killed"), {}, 2)
    command = [sys.executable, "-c", _SCRIPT.format(fields=fields), str(tmp_path / "killed")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (plan.runs[1].folder / "config.json").exists():  # the second of two
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [run.finished for run in plan.runs] == [True, False]
    result = make(plan, SweepOptions(seeds=2))
    assert (result.skipped, result.made) == (1, 1)
    for one, other in zip(plan.runs, whole.runs, strict=True):
        for name in ("estimates.parquet", "correct_train.npy"):
            assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()
    assert summary_rows(plan) == summary_rows(whole)


def test_torn_records_are_mended(tmp_path):
    attempts = Attempts(tmp_path)
    attempts.add(0, "a", Outcome("died", "gone"))
    with open(tmp_path / ATTEMPTS, "ab") as file:
        file.write(b'{"run_id": 1, "sta')
    assert len(read_attempts(tmp_path)) == 1
    mended = Attempts(tmp_path)
    mended.add(1, "a", Outcome("finished"))
    assert [line["state"] for line in read_attempts(tmp_path)] == ["died", "finished"]
    assert mended.failures("a") == 1
    assert mended.last("b") is None
    (tmp_path / ATTEMPTS).write_text('no JSON\n{"run_id": 1}\n')
    with pytest.raises(CorruptRunFile, match=r"attempts.jsonl, line 1 is not an attempt"):
        read_attempts(tmp_path)


def test_one_process_at_a_time_and_one_sweep_a_folder(made, tmp_path, stub):
    plan, _ = made
    lock = FolderLock(plan.folder)
    with pytest.raises(RunLocked):
        make(plan, SweepOptions(seeds=3))
    lock.release()
    stub()
    small = sweep_plan(config(tmp_path), {}, 1)
    make(small, SweepOptions())
    path = small.folder / "sweep.json"
    path.write_text(path.read_text().replace(small.runs[0].config_hash, "0" * 12))
    with pytest.raises(RunMismatch, match="holds another sweep"):
        make(small, SweepOptions())


@pytest.mark.parametrize(
    ("grid", "changes", "message"),
    [
        ({"speed": (1,)}, {}, "--grid speed: memorization has no such option"),
        ({"seed": (1, 2)}, {}, "give --seeds"),
        ({"out": ("a",)}, {}, "cannot be varied"),
        ({"lr": ()}, {}, "--grid lr must be distinct"),
        ({"lr": (1e-3, 1e-3)}, {}, "--grid lr must be distinct"),
        ({"width": (0,)}, {}, "--width must be at least 1"),
        ({"images": (10_000,)}, {}, "--images must be at most 1437"),
        ({"device": ("cpu", "auto")}, {}, "one run of several combinations"),
        ({}, {"name": "mine"}, "--name is for one run"),
        ({}, {"fresh": True}, "--fresh is for one run"),
    ],
)
def test_bad_grids_name_themselves(tmp_path, grid, changes, message):
    with pytest.raises(ValueError, match=message):
        sweep_plan(config(tmp_path, **changes), grid)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": 0}, "--seeds"),
        ({"workers": 2}, "--workers must be 1 without"),
        ({"retries": -1}, "--retries"),
        ({"retry": ("lost",)}, "--retry must be out of diverged, memory, died, error"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        SweepOptions(**change)


def test_states_of_jobs():
    def raising(error):
        def work():
            raise error

        return perform(Job("it", work))

    assert perform(Job("it", lambda: 3)).value == 3
    assert raising(TrainingDiverged(1, 0)).state == "diverged"
    assert raising(TrainingOutOfMemory("x")).state == raising(MemoryError()).state == "memory"
    assert raising(KeyError("x")).state == "error"
    with pytest.raises(KeyboardInterrupt):
        raising(KeyboardInterrupt())
    with pytest.raises(ValueError, match="--workers belongs to --executor ray"):
        open_workers("local", 2)


def test_a_stop_that_is_asked_for_ends_the_loop():
    class Asked:
        made = False

    stop, seen = Asked(), []
    with InProcess() as workers:
        for job, _ in performed(workers, [Job(str(n), lambda: None) for n in range(5)], stop, lambda *_: False):
            seen.append(job.name)
            stop.made = len(seen) == 2
    assert seen == ["0", "1"]


def test_seeds_of_a_preset_move_together(tmp_path):
    default = SizeConfig(images=64, widths=(4,), replicas=8, together=8, out=tmp_path, seed=42, label_seed=17)
    plan = sweep_plan(default, {"widths": ((4,), (4, 8))}, 2)
    assert [(run.seed, run.config.label_seed, run.config.widths) for run in plan.runs] == [
        (42, 17, (4,)), (43, 18, (4,)), (42, 17, (4, 8)), (43, 18, (4, 8)),
    ]  # fmt: skip
    assert "widths=4+8, seed 43" in plan.runs[3].words


def test_forecast_of_a_sweep(tmp_path):
    plan = sweep_plan(config(tmp_path), {"lr": (1e-3, 1e-2)}, 2)
    lines = cost_lines(plan, workers=2)
    assert lines[0] == "sweep of memorization: 4 runs (2 lr, 2 seeds), 0 of them there"
    assert lines[1].startswith("  at most ")
    assert lines[1].endswith("by 2 workers, timed on a few steps")


def test_paths_are_made_whole_for_other_processes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    placed = course_module._placed(config(Path("runs"), root=Path("data")), elsewhere=True)
    assert (placed.out, placed.root) == (tmp_path / "runs", tmp_path / "data")
    assert course_module._placed(config(Path("runs")), elsewhere=False).out == Path("runs")
