"""Epochs on disk: their columns, both phases, logits, and what is wrong with a folder."""

from __future__ import annotations

import sys

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch

from rote.metrics import Recorder, epoch_values, read_dynamics, trajectories
from rote.runs import CorruptRunFile

from .recorded_runs import make_run, softmax

COLUMNS = ["epoch", "phase", "example_id", "presentations", "loss", "margin", "p_true", "el2n", "correct"]
TYPES = ["int32", "string", "int32", "int32", "float", "float", "float", "float", "bool"]


def test_an_epoch_has_a_row_for_each_example_shown(tmp_path):
    run = make_run(drop_last=True, n=70, epochs=3)
    run.play(Recorder(75, folder=tmp_path))
    assert sorted(path.name for path in (tmp_path / "dynamics").iterdir()) == [
        f"epoch=000{epoch}.parquet" for epoch in (1, 2, 3)
    ]
    table = parquet.ParquetFile(tmp_path / "dynamics" / "epoch=0002.parquet").read()
    assert table.column_names == COLUMNS
    assert [str(field.type) for field in table.schema] == TYPES
    shown = torch.cat([ids for ids, _, _ in run.batches[1]]).sort().values
    assert len(shown) == 64
    assert table["example_id"].to_pylist() == shown.tolist()
    assert set(table["epoch"].to_pylist()) == {2}
    assert set(table["phase"].to_pylist()) == {"train_pass"}
    assert set(table["presentations"].to_pylist()) == {1}
    for row in table.to_pylist():
        ((_, logits, label),) = [p for p in run.presentations(row["example_id"]) if p[0] == 2]
        p = softmax(logits)
        assert row["p_true"] == pytest.approx(p[label], rel=1e-6)
        assert row["loss"] == pytest.approx(-np.log(p[label]), rel=1e-5)
        assert row["el2n"] == pytest.approx(np.linalg.norm(p - np.eye(5)[label]), rel=1e-6)
        assert row["margin"] == pytest.approx(logits[label] - np.delete(logits, label).max(), rel=1e-6)
        assert row["correct"] == (logits.argmax() == label)


def test_an_example_shown_twice_has_its_last_presentation_and_their_number(tmp_path):
    run = make_run(repeats=True, epochs=2)
    run.play(Recorder(run.n, folder=tmp_path))
    table = read_dynamics(tmp_path).to_pylist()
    shown = {(e, i): [p for p in run.presentations(i) if p[0] == e] for e in (1, 2) for i in range(run.n)}
    assert {(row["epoch"], row["example_id"]): row["presentations"] for row in table} == {
        key: len(found) for key, found in shown.items() if found
    }
    assert max(len(found) for found in shown.values()) > 2
    for row in table:
        _, logits, label = shown[row["epoch"], row["example_id"]][-1]
        assert row["p_true"] == pytest.approx(softmax(logits)[label], rel=1e-6)


def test_trajectories_are_nan_where_an_example_was_not_shown(tmp_path):
    run = make_run(drop_last=True, n=70, epochs=4)
    run.play(Recorder(run.n, folder=tmp_path, first_epoch=0))
    found = trajectories(tmp_path, "margin", n=72)
    assert found.epochs.tolist() == [0, 1, 2, 3]
    assert found.values.shape == (4, 72)
    for epoch, batches in enumerate(run.batches):
        shown = torch.cat([ids for ids, _, _ in batches]).tolist()
        assert np.flatnonzero(~np.isnan(found.values[epoch])).tolist() == sorted(shown)
    np.testing.assert_array_equal(epoch_values(tmp_path, "margin", 2, n=72), found.values[2])
    hits = trajectories(tmp_path, "correct").values
    assert set(hits[~np.isnan(hits)]) == {0, 1}


def test_phases_have_files_of_their_own(tmp_path):
    first, second = make_run(epochs=2), make_run(epochs=3, seed=1)
    first.play(Recorder(first.n, folder=tmp_path))
    second.play(Recorder(second.n, folder=tmp_path, phase="eval_pass"))
    assert len(trajectories(tmp_path).epochs) == 2
    evaluated = read_dynamics(tmp_path, phase="eval_pass", columns=["phase", "epoch"])
    assert set(evaluated["phase"].to_pylist()) == {"eval_pass"}
    assert set(evaluated["epoch"].to_pylist()) == {1, 2, 3}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_of_the_last_presentation(tmp_path, dtype):
    run = make_run(repeats=True, epochs=2, dtype=dtype)
    run.play(Recorder(run.n, folder=tmp_path, logits=True))
    for row in read_dynamics(tmp_path).to_pylist():
        logits = [p for p in run.presentations(row["example_id"]) if p[0] == row["epoch"]][-1][1]
        assert row["logits"] == logits.tolist()


def test_an_epoch_without_examples_has_a_file_without_rows(tmp_path):
    recorder = Recorder(3, folder=tmp_path, logits=True)
    recorder.end_epoch()
    recorder.update(torch.tensor([1]), torch.zeros(1, 4), torch.tensor([2]))
    recorder.end_epoch()
    recorder.end_epoch()
    assert recorder.epoch == 4
    rows = [parquet.read_metadata(tmp_path / "dynamics" / f"epoch=000{e}.parquet").num_rows for e in (1, 2, 3)]
    assert rows == [0, 1, 0]
    assert read_dynamics(tmp_path).num_rows == 1
    assert np.isnan(epoch_values(tmp_path, "loss", 1, n=3)).all()


def test_nothing_is_written_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_run(epochs=1).play(Recorder(60))
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_with_a_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no epoch of phase 'train_pass'"):
        read_dynamics(tmp_path)
    make_run(epochs=2).play(Recorder(60, folder=tmp_path))
    with pytest.raises(FileNotFoundError, match="eval_pass"):
        trajectories(tmp_path, phase="eval_pass")
    with pytest.raises(ValueError, match="phase: wanted"):
        read_dynamics(tmp_path, phase="test")
    with pytest.raises(ValueError, match="has no accuracy"):
        trajectories(tmp_path, "accuracy")
    with pytest.raises(ValueError, match="n: wanted more than the largest id, 59; got 40"):
        trajectories(tmp_path, n=40)
    with pytest.raises(FileNotFoundError, match="epoch 7 of phase 'train_pass' is not recorded"):
        epoch_values(tmp_path, "el2n", 7)
    path = tmp_path / "dynamics" / "epoch=0002.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorruptRunFile, match="epoch=0002"):
        read_dynamics(tmp_path)


def test_examples_that_stand_twice_are_refused(tmp_path):
    make_run(epochs=1).play(Recorder(60, folder=tmp_path))
    path = tmp_path / "dynamics" / "epoch=0001.parquet"
    (tmp_path / "dynamics" / "epoch=0002.parquet").write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="twice"):
        trajectories(tmp_path)


def test_a_folder_asks_for_pyarrow_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"Recorder\(folder=\.\.\.\) wants pyarrow.*rote\[lab\]"):
        Recorder(4, folder=tmp_path)
    Recorder(4)  # nothing is written without a folder
