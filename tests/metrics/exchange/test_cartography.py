"""Cartography's files: written by another hand, round trips, and what is wrong with bad ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rote.metrics.exchange import (
    ExampleDynamics,
    ExchangeError,
    read_cartography,
    read_data_map,
    write_cartography,
    write_data_map,
)


@pytest.fixture
def recorded():
    rng = np.random.default_rng(1)
    return rng.normal(size=(3, 6, 4)), rng.integers(0, 4, 6)


def log(folder, logits, labels, guids):
    """As the tool logs: a record a line without spaces, ten decimals."""
    (folder / "training_dynamics").mkdir(parents=True)
    for e, epoch in enumerate(logits):
        with open(folder / "training_dynamics" / f"dynamics_epoch_{e}.jsonl", "w") as file:
            for guid, scores, label in zip(guids, epoch, labels, strict=True):
                numbers = ",".join(f"{score:.10f}" for score in scores)
                file.write(f'{{"guid":{json.dumps(guid)},"logits_epoch_{e}":[{numbers}],"gold":{label}}}\n')


def test_the_tools_own_files_are_read(tmp_path, recorded):
    logits, labels = recorded
    guids = [4734364254410, 3, 17, 9, 1, 12]
    log(tmp_path, logits, labels, guids)
    found = read_cartography(tmp_path)
    assert found.guid.tolist() == guids
    assert found.guid.dtype == np.int64
    assert found.gold.tolist() == labels.tolist()
    np.testing.assert_allclose(found.logits, logits, atol=1e-9)
    again = read_cartography(tmp_path / "training_dynamics")
    np.testing.assert_array_equal(again.logits, found.logits)
    np.testing.assert_allclose(found.dynamics().aum(), ExampleDynamics.of_logits(logits, labels).aum(), atol=1e-9)


def test_lines_may_be_in_another_order_in_every_file(tmp_path, recorded):
    logits, labels = recorded
    log(tmp_path, logits, labels, list("abcdef"))
    path = tmp_path / "training_dynamics" / "dynamics_epoch_2.jsonl"
    path.write_text("\n".join(reversed(path.read_text().splitlines())))
    found = read_cartography(tmp_path)
    assert found.guid.tolist() == list("abcdef")
    np.testing.assert_allclose(found.logits, logits, atol=1e-9)


def read_as_the_tool_does(folder, count):
    """The tool's reading loop: guid -> gold and logits of every epoch, files from 0 on."""
    found = {}
    for e in range(count):
        for line in (folder / "training_dynamics" / f"dynamics_epoch_{e}.jsonl").read_text().splitlines():
            record = json.loads(line)
            entry = found.setdefault(record["guid"], {"gold": record["gold"], "logits": []})
            entry["logits"].append(record[f"logits_epoch_{e}"])
    return found


def test_our_files_are_read_as_the_tool_reads_and_come_back(tmp_path, recorded):
    logits, labels = recorded
    names = np.array([5, 3, 8, 0, 2, 11])
    write_cartography(tmp_path, logits, labels, names)
    theirs = read_as_the_tool_does(tmp_path, 3)
    assert list(theirs) == names.tolist()
    for i, name in enumerate(names.tolist()):
        assert theirs[name]["gold"] == labels[i]
        np.testing.assert_array_equal(theirs[name]["logits"], logits[:, i])
    found = read_cartography(tmp_path)
    np.testing.assert_array_equal(found.logits, logits)
    np.testing.assert_array_equal(found.guid, names)


def spoil(number, change):
    """Changes one line of the second file."""

    def spoiled(folder):
        path = folder / "training_dynamics" / "dynamics_epoch_1.jsonl"
        lines = path.read_text().splitlines()
        line = change(json.loads(lines[number])) if callable(change) else change
        lines[number : number + 1] = [] if line is None else [line if isinstance(line, str) else json.dumps(line)]
        path.write_text("\n".join(lines) + "\n")

    return spoiled


BAD = [
    (spoil(2, "{'guid'"), r"dynamics_epoch_1.jsonl, line 3: not JSON"),
    (spoil(2, "[1, 2]"), r"line 3: wanted an object, got list"),
    (spoil(0, lambda line: {**line, "guid": 77}), r"line 1: guid 77 is not in dynamics_epoch_0.jsonl"),
    (spoil(1, lambda line: {**line, "guid": 0}), r"line 2: guid 0 comes twice"),
    (spoil(1, lambda line: {**line, "gold": (line["gold"] + 1) % 4}), r"line 2: gold of guid 1 was"),
    (spoil(1, lambda line: {**line, "gold": 9}), r"line 2: wanted gold in \[0, 4\), got 9"),
    (spoil(1, lambda line: {**line, "gold": "cat"}), r"line 2: wanted an integer as gold, got 'cat'"),
    (spoil(1, lambda line: {**line, "logits_epoch_1": [1.0, 2.0]}), r"line 2: wanted 4 logits as in the first line"),
    (spoil(1, lambda line: {**line, "logits_epoch_1": ["a", "b"]}), r"line 2: wanted two numbers or more as logits"),
    (spoil(1, lambda line: {"guid": 1, "gold": line["gold"]}), r"line 2: lacks 'logits_epoch_1'"),
    (spoil(5, None), r"dynamics_epoch_1.jsonl: lacks guid 5"),
    (
        lambda folder: (folder / "training_dynamics" / "dynamics_epoch_1.jsonl").unlink(),
        r"dynamics_epoch_1.jsonl is mi",
    ),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_dynamics_are_named(tmp_path, recorded, change, message):
    write_cartography(tmp_path, *recorded)
    change(tmp_path)
    with pytest.raises(ExchangeError, match=message):
        read_cartography(tmp_path)


def test_a_folder_without_dynamics(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_cartography(tmp_path)


def test_data_maps_come_back_and_are_the_tools(tmp_path, recorded):
    logits, labels = recorded
    logits = logits.copy()
    logits[:, 2, labels[2]] = -9.0
    scores = ExampleDynamics.of_logits(logits, labels).cartography()
    path = write_data_map(tmp_path / "data_map_coordinates.jsonl", scores, list("uvwxyz"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    theirs = {"guid", "index", "threshold_closeness", "confidence", "variability", "correctness", "forgetfulness"}
    assert all(set(line) == theirs for line in lines)
    assert lines[2]["forgetfulness"] == 1000
    assert lines[1]["threshold_closeness"] == pytest.approx(lines[1]["confidence"] * (1 - lines[1]["confidence"]))
    found = read_data_map(path)
    assert found["guid"].tolist() == list("uvwxyz")
    for name, column in scores.items():
        np.testing.assert_array_equal(found[name], column)


def test_the_published_data_maps_columns_suffice(tmp_path):
    path = tmp_path / "snli_data_map_coordinates.jsonl"
    rows = [{"guid": 7, "index": 0, "confidence": 0.9, "variability": 0.1, "correctness": 5}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    found = read_data_map(path)
    assert set(found) == {"guid", "confidence", "variability", "correctness"}
    assert found["correctness"].tolist() == [5]


def test_bad_data_maps_are_named(tmp_path, recorded):
    path = tmp_path / "map.jsonl"
    path.write_text('{"guid": 1, "confidence": 0.5, "variability": 0.1}\n')
    with pytest.raises(ExchangeError, match=r"map.jsonl, line 1: lacks 'correctness'"):
        read_data_map(path)
    path.write_text('{"guid": 1, "confidence": "high", "variability": 0.1, "correctness": 2}\n')
    with pytest.raises(ExchangeError, match="line 1: wanted a number as confidence, got 'high'"):
        read_data_map(path)
    for count in ("often", 2.5):
        row = {"guid": 1, "confidence": 0.5, "variability": 0.1, "correctness": 2, "forgetfulness": count}
        path.write_text(json.dumps(row))
        with pytest.raises(ExchangeError, match="line 1: wanted a whole number as forgetfulness, got"):
            read_data_map(path)
    path.write_text("\n")
    with pytest.raises(ExchangeError, match="holds no example"):
        read_data_map(path)
    logits, labels = recorded
    scores = ExampleDynamics.of_logits(logits, labels).cartography()
    with pytest.raises(ValueError, match="guid must be 6 names, each once; got 6, 1 of them different"):
        write_data_map(path, scores, ["x"] * 6)
    with pytest.raises(ValueError, match="scores must hold the columns"):
        write_data_map(path, {"confidence": [1.0]})
    with pytest.raises(ValueError, match="logits must be finite"):
        write_cartography(tmp_path, np.full((1, 6, 4), np.nan), labels)
