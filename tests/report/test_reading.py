"""Run folders are read tolerantly where something was not measured and strictly where something is broken."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rote.report import RunFolderError, read_run
from rote.runs.csv_table import cell

from . import synthetic


def test_a_whole_run(tmp_path):
    run = read_run(synthetic.benign(tmp_path))
    assert (run.experiment, run.data, run.labels, run.augment) == ("benign", "digits", "random", "digits")
    assert (run.seed, run.num_classes, run.chance, run.steps) == (0, 10, 0.1, 3600)
    assert run.layers == synthetic.LAYERS
    assert run.headline_layer == "encoder"
    curve = run.curve("test", "probe_accuracy", "encoder")
    assert curve.steps[0] == 0
    assert curve.steps[-1] == 3600
    assert list(curve.steps) == sorted(set(curve.steps))
    assert curve.values[-1] == pytest.approx(0.9139)  # not the last line, which has other references
    assert run.layer_probe("encoder", "init") == 0.561
    assert run.raw_probe == 0.7583
    assert run.interval("probe_gain_interval") == pytest.approx((0.1146, 0.1966))


def test_without_a_summary_the_metrics_speak(tmp_path):
    folder = synthetic.benign(tmp_path)
    (folder / "summary.json").unlink()
    run = read_run(folder)
    assert not run.finished
    assert run.verdict == ""
    assert run.layers == synthetic.LAYERS
    assert run.layer_probe("encoder", "final") == pytest.approx(0.9139)
    assert run.raw_probe == 0.7583
    assert run.steps == 3600


def test_repeated_measurement_counts_as_last_measured(tmp_path):
    folder = synthetic.benign(tmp_path)
    line = {"step": 3600, "epoch": 900, "split": "train", "metric": "accuracy_clean", "layer": None, "value": 0.5}
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    assert read_run(folder).curve("train", "accuracy_clean").values[-1] == 0.5


def test_cut_last_line_is_left_out(tmp_path):
    folder = synthetic.benign(tmp_path)
    path = folder / "metrics.jsonl"
    whole = len(read_run(folder).measurements)
    path.write_text(path.read_text()[:-30])
    assert len(read_run(folder).measurements) == whole - 1


def test_broken_line_in_the_middle_is_named(tmp_path):
    folder = synthetic.benign(tmp_path)
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines()
    lines[4] = '{"step": 1'
    path.write_text("\n".join(lines))
    with pytest.raises(RunFolderError, match=r"metrics\.jsonl, line 5"):
        read_run(folder)


def test_values_that_are_not_numbers_are_not_drawn(tmp_path):
    folder = synthetic.benign(tmp_path)
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    summary |= {"train_accuracy": float("nan"), "probe_gain_interval": [0.1, None], "probe_accuracy": "high"}
    path.write_text(json.dumps(summary))
    run = read_run(folder)
    assert run.number("train_accuracy") is None
    assert run.number("probe_accuracy") is None
    assert run.interval("probe_gain_interval") is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, r"config\.json: missing"),
        ("config.json", "[1]", r"config\.json: must hold a JSON object, got list"),
        ("config.json", "{}", r"config\.json: 'experiment' must be a name, got None"),
        ("summary.json", "{oops", r"summary\.json: not readable as JSON"),
        ("summary.json", b"\xff\xfe", r"summary\.json: not readable as JSON"),
        ("views.npz", b"not a zip", r"views\.npz: not a readable views file"),
    ],
)
def test_broken_file_is_named(tmp_path, name, content, message):
    folder = synthetic.benign(tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunFolderError, match=message):
        read_run(folder)


def test_capacity_rows_from_csv_while_there_is_no_summary(tmp_path):
    folder = synthetic.capacity(tmp_path)
    rows = json.loads((folder / "summary.json").read_text())["rows"]
    lines = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
    (folder / "capacity.csv").write_text("\n".join(lines))
    (folder / "summary.json").unlink()
    assert [dict(row) for row in read_run(folder).rows] == rows


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label_mode": "same"}, "row 1 has no 'views'"),
        ({"views": 0, "label_mode": "same"}, "views must be a number >= 1, got 0"),
        ({"views": "many", "label_mode": "same"}, "views must be a number >= 1, got 'many'"),
    ],
)
def test_broken_capacity_row_is_named(tmp_path, row, message):
    folder = synthetic.capacity(tmp_path)
    synthetic.write_json(folder / "summary.json", {"rows": [row]})
    with pytest.raises(RunFolderError, match=message):
        read_run(folder)


def test_csv_cells():
    # "true" is a kind of labels; truth values are written as Python's own.
    written = ("", "True", "False", "true", "12", "-3", "0.5", "1e3", "same")
    assert [cell(text) for text in written] == [None, True, False, "true", 12, -3, 0.5, 1000.0, "same"]


def test_own_taps_put_the_headline_on_the_last_of_them(tmp_path):
    folder = synthetic.benign(tmp_path)
    path = folder / "summary.json"
    table = {name: {"init": 0.4, "final": 0.5} for name in ("pixels", "block.1", "block.2", "logits")}
    synthetic.write_json(path, {**json.loads(path.read_text()), "probe_by_layer": table})
    run = read_run(folder)
    assert run.layers == ("block.1", "block.2", "logits")
    assert run.headline_layer == "block.2"


def test_flat_config_and_nested_groups(tmp_path):
    synthetic.write_json(
        tmp_path / "config.json",
        {"experiment": "benign", "data": {"name": "cifar10"}, "train": {"lr": 0.01}, "seeds": {"data": 7}},
    )
    run = read_run(tmp_path)
    assert (run.data, run.setting("lr"), run.seed) == ("CIFAR-10", 0.01, 7)
    assert np.isclose(run.setting("missing", 3.0), 3.0)


def test_a_picture_folder_is_called_by_its_classes_or_its_own_name(tmp_path):
    from rote.data.cifar10 import CLASSES

    run = read_run(synthetic.benign(tmp_path, data="folder"))
    flowers = replace(run, config={**run.config, "root": "/somewhere/flowers"})
    assert run.data == "folder"
    assert flowers.data == "flowers"
    assert replace(flowers, environment={**run.environment, "classes": list(CLASSES)}).data == "CIFAR-10"
