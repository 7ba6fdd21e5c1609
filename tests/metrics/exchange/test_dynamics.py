"""ExampleDynamics against the other tools' formulas in plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pyarrow.parquet
import pytest

from rote.metrics.exchange import ExampleDynamics
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


def test_bad_arguments_are_named(recorded):
    logits, labels = recorded
    with pytest.raises(ValueError, match=r"logits must be float \[E, N, C\]"):
        ExampleDynamics.of_logits(logits[0], labels)
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 3\); got 0 to 3"):
        ExampleDynamics.of_logits(logits, np.where(labels == 2, 3, labels))
    with pytest.raises(ValueError, match=r"labels must be int \[12\]"):
        ExampleDynamics.of_logits(logits, labels[1:])
