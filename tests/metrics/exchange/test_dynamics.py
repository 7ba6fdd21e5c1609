"""ExampleDynamics against the other tools' formulas in plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pyarrow.parquet
import pytest
import torch

from rote import metrics
from rote.metrics import exchange
from rote.metrics.exchange import ExampleDynamics, recorded_logits
from rote.metrics.exchange.dynamics import forgetting_events


@pytest.fixture
def recorded():
    """(logits [5, 12, 3], labels) with examples that are forgotten and one that is never right."""
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 12, 3)), rng.integers(0, 3, 12)
    logits[:, 4, labels[4]] = -9.0
    return logits, labels


def test_values_are_those_of_a_loop(recorded):
    logits, labels = recorded
    found = ExampleDynamics.of_logits(logits, labels)
    for e in range(5):
        for i, label in enumerate(labels):
            scores = [math.exp(v) for v in logits[e, i]]
            p = scores[label] / sum(scores)
            others = [v for c, v in enumerate(logits[e, i]) if c != label]
            assert found.p_true[e, i] == pytest.approx(p, rel=1e-12)
            assert found.loss[e, i] == pytest.approx(-math.log(p), rel=1e-9)
            assert found.margin[e, i] == pytest.approx(logits[e, i, label] - max(others), rel=1e-12)
            error = [v / sum(scores) - (c == label) for c, v in enumerate(scores)]
            assert found.el2n[e, i] == pytest.approx(math.hypot(*error), rel=1e-9)
            assert found.correct[e, i] == (logits[e, i, label] > max(others))


def forgetfulness(trend):
    """How often a learnt example was lost again, as a reader of the paper would count."""
    return sum(1 for before, after in pairwise(trend) if before and not after)


def test_the_data_map_is_the_papers(recorded):
    logits, labels = recorded
    found = ExampleDynamics.of_logits(logits, labels)
    scores = found.cartography()
    exponentials = np.exp(logits)
    p = (exponentials / exponentials.sum(2, keepdims=True))[:, np.arange(12), labels]
    np.testing.assert_allclose(scores["confidence"], p.mean(0), rtol=1e-12)
    np.testing.assert_allclose(scores["variability"], p.std(0), rtol=1e-9)
    np.testing.assert_array_equal(scores["correctness"], found.correct.sum(0))
    expected = [forgetfulness(found.correct[:, i].tolist()) for i in range(12)]
    assert scores["forgetfulness"].tolist() == expected
    assert max(expected) > 0
    assert scores["never_learned"].tolist() == [not found.correct[:, i].any() for i in range(12)]
    assert scores["never_learned"][4]
    assert scores["forgetfulness"][4] == 0
    np.testing.assert_allclose(found.aum(), found.margin.mean(0))


def test_looks_without_a_value_are_left_out(recorded, tmp_path):
    logits, labels = recorded
    logits = logits.copy()
    logits[1, 3] = np.nan
    logits[:, 7] = np.nan
    found = ExampleDynamics.of_logits(logits, labels)
    there = ExampleDynamics.of_logits(np.delete(logits, 1, 0)[:, [3]], labels[[3]])
    for name, value in there.cartography().items():
        assert found.cartography()[name][3] == pytest.approx(value[0]), name
    assert np.isnan(found.aum()[7])
    assert np.isnan(found.cartography()["confidence"][7])
    assert found.cartography()["never_learned"][7]
    files = found.write(tmp_path, first_epoch=2, phase="eval_pass")
    assert [path.name for path in files] == [f"epoch={e:04d}.eval_pass.parquet" for e in range(2, 7)]
    table = pyarrow.parquet.ParquetFile(files[1]).read()
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    whole = dict.fromkeys(("epoch", "example_id", "presentations"), "int32")
    assert kinds == {
        **whole,
        "phase": "string",
        **dict.fromkeys(("loss", "margin", "p_true", "el2n"), "float"),
        "correct": "bool",
    }
    assert table["epoch"].to_pylist() == [3] * 10
    assert table["example_id"].to_pylist() == [0, 1, 2, 4, 5, 6, 8, 9, 10, 11]
    np.testing.assert_allclose(table["margin"], found.margin[1][[0, 1, 2, 4, 5, 6, 8, 9, 10, 11]], rtol=1e-6)


def test_forgetting_counts_from_look_to_look_of_the_same_example():
    correct = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 1], [0, 0, 1, 1]], dtype=bool)
    seen = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]], dtype=bool)
    assert forgetting_events(correct, seen).tolist() == [2, 1, 0, 0]


@pytest.fixture
def recorder(tmp_path, recorded):
    """(folder, scores, logits, labels) of a recorder that saw the logits in two batches a look."""
    logits, labels = recorded
    made = metrics.Recorder(14, folder=tmp_path / "run", logits=True)
    for epoch in torch.tensor(logits):
        for ids in (torch.arange(0, 12, 2), torch.arange(1, 12, 2)):
            made.update(ids, epoch[ids], torch.tensor(labels)[ids])
        made.end_epoch()
    return tmp_path / "run", made.scores(), logits, labels


def test_a_recorders_epochs_are_read(recorder):
    folder, scores, logits, labels = recorder
    found = ExampleDynamics.read(folder)
    assert found.example_id.tolist() == list(range(12))  # 12 and 13 were never shown
    assert found.epochs.tolist() == [1, 2, 3, 4, 5]
    expected = ExampleDynamics.of_logits(logits, labels)
    for name in ("loss", "margin", "p_true", "el2n", "correct"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.aum(), scores["aum"][:12], rtol=1e-5)
    for name, same in (
        ("confidence", "confidence"),
        ("variability", "variability"),
        ("forgetfulness", "forgetting_events"),
    ):
        np.testing.assert_allclose(found.cartography()[name], scores[same][:12], rtol=1e-4, atol=1e-6)
    ids, kept = recorded_logits(folder)
    assert ids.tolist() == list(range(12))
    np.testing.assert_allclose(kept, logits, rtol=1e-6)
    some = found.at(np.array([3, 1]))
    assert some.example_id.tolist() == [3, 1]
    np.testing.assert_array_equal(some.loss, found.loss[:, [3, 1]])


def test_what_was_written_is_read_as_a_recorders(recorded, tmp_path):
    logits, labels = recorded
    logits = logits.copy()
    logits[2, 5] = np.nan
    made = ExampleDynamics.of_logits(logits, labels)
    made.write(tmp_path, phase="eval_pass")
    found = ExampleDynamics.read(tmp_path)
    for name in ("loss", "margin", "p_true", "el2n"):
        np.testing.assert_allclose(getattr(found, name), getattr(made, name), rtol=1e-6)
    assert np.isnan(found.loss[2, 5])
    scores = metrics.cartography(made.p_true, np.where(np.isnan(made.p_true), np.nan, made.correct))
    np.testing.assert_allclose(found.cartography()["confidence"], scores.confidence, rtol=1e-6)
    np.testing.assert_allclose(found.cartography()["variability"], scores.variability, rtol=1e-4)
    events = metrics.forgetting(np.where(np.isnan(made.p_true), np.nan, made.correct))
    np.testing.assert_array_equal(found.cartography()["forgetfulness"], events.events)
    with pytest.raises(FileNotFoundError):
        ExampleDynamics.read(tmp_path, phase="train_pass")
    with pytest.raises(FileNotFoundError):
        ExampleDynamics.read(tmp_path / "nothing")
    with pytest.raises(ValueError, match="phase must be one of train_pass, eval_pass; got 'test'"):
        made.write(tmp_path, phase="test")
    with pytest.raises(ValueError, match="has no logits"):
        recorded_logits(tmp_path)


def test_every_source_gives_the_same_scores(recorder, tmp_path):
    folder, scores, logits, labels = recorder
    names = np.arange(12) + 100
    exchange.write_cartography(tmp_path / "cartography", logits, labels, names)
    looks = ExampleDynamics.of_logits(logits, labels)
    exchange.write_data_map(tmp_path / "map.jsonl", looks.cartography(), names)
    exchange.write_aum(tmp_path / "values", looks.aum(), names)
    exchange.write_aum_records(tmp_path / "records", logits, labels, names)
    read = exchange.read_training_scores
    sources = {
        "recorder": read(folder).aligned(np.arange(11, -1, -1)),
        "cartography": read(tmp_path / "cartography").aligned(names[::-1]),
        "data map": read(tmp_path / "map.jsonl").aligned(names[::-1]),
        "aum": read(tmp_path / "values").aligned(names[::-1]),
        "aum records": read(tmp_path / "records").aligned(names[::-1]),
    }
    for source, found in sources.items():
        assert found.source == source
        for name in ("aum", "confidence", "variability", "forgetting_events", "never_learned", "correctness"):
            if name in found.scores:
                np.testing.assert_allclose(found.scores[name], scores[name][11::-1], rtol=1e-4, atol=1e-6)
    assert {name for name, found in sources.items() if "aum" in found.scores} == set(sources) - {"data map"}
    assert sources["cartography"].dynamics.loss.shape == (5, 12)
    with pytest.raises(ValueError, match="2 of 3 are missing, the first is 5"):
        read(tmp_path / "map.jsonl").aligned(np.array([100, 5, 6]))
    with pytest.raises(FileNotFoundError, match="no training dynamics"):
        read(tmp_path)
    (tmp_path / "odd.txt").write_text("x")
    with pytest.raises(exchange.ExchangeError, match="wanted a data map"):
        read(tmp_path / "odd.txt")


def test_bad_arguments_are_named(recorded):
    logits, labels = recorded
    with pytest.raises(ValueError, match=r"logits must be float \[E, N, C\]"):
        ExampleDynamics.of_logits(logits[0], labels)
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 3\); got 0 to 3"):
        ExampleDynamics.of_logits(logits, np.where(labels == 2, 3, labels))
    with pytest.raises(ValueError, match=r"labels must be int \[12\]"):
        ExampleDynamics.of_logits(logits, labels[1:])
