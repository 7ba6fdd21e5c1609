"""Tables in every form a user may have them, means over seeds, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rote import load_run
from rote.report import gather
from rote.report.estimates import Estimate, fit_line
from rote.report.rows import distinct, numbers, only, over_seeds, rows_of
from rote.runs import CorruptRunFile, RunIncomplete

from . import synthetic, synthetic_tables

ROWS = [{"layer": "a", "accuracy": 0.5, "k": 20}, {"layer": "b", "accuracy": None, "k": 20}]


class Frame:
    """What `dict(...)` makes columns of, as a pandas DataFrame."""

    def keys(self):
        return ["layer", "accuracy", "k"]

    def __getitem__(self, name):
        return [row[name] for row in ROWS]


@pytest.mark.parametrize(
    "table",
    [
        ROWS,
        tuple(ROWS),
        {"layer": ["a", "b"], "accuracy": [0.5, None], "k": [20, 20]},
        {"layer": np.array(["a", "b"]), "accuracy": np.array([0.5, math.nan]), "k": np.array([20, 20])},
        Frame(),
    ],
)
def test_rows_of_every_form(table):
    found = rows_of(table, "layer", "accuracy")
    assert found == ROWS
    assert [type(row["k"]) for row in found] == [int, int]


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ("layers.csv", TypeError, "table must be rows or columns, got text"),
        (3, TypeError, "got int"),
        ([1, 2], TypeError, "got rows of int"),
        ([], ValueError, "at least one row, got none"),
        ({"layer": []}, ValueError, "at least one row"),
        ({"layer": ["a"], "accuracy": [0.1, 0.2]}, ValueError, "columns of one length"),
        ([{"layer": "a"}], ValueError, r"must have the columns accuracy; it has layer"),
    ],
)
def test_what_is_no_table_is_refused(table, error, message):
    with pytest.raises(error, match=message):
        rows_of(table, "layer", "accuracy")


def test_means_are_over_seeds_alone():
    rows = [
        {"layer": layer, "seed": seed, "accuracy": base + 0.1 * seed}
        for layer, base in (("a", 0.1), ("b", 0.5))
        for seed in range(3)
    ]
    first, second = over_seeds(rows, ("layer",), "accuracy")
    assert (first.at, second.at) == ({"layer": "a"}, {"layer": "b"})
    assert (first.mean, second.mean) == pytest.approx((0.2, 0.6))
    assert first.interval == pytest.approx(stats.t.interval(0.95, 2, 0.2, stats.sem([0.1, 0.2, 0.3])))
    (row, _) = numbers([first, second], "accuracy", method="knn")
    assert row == {
        "method": "knn",
        "layer": "a",
        "accuracy": pytest.approx(0.2),
        "accuracy_low": pytest.approx(first.interval[0]),
        "accuracy_high": pytest.approx(first.interval[1]),
        "seeds": 3,
    }


def test_rows_that_differ_in_more_than_the_seed_are_never_averaged():
    rows = [{"layer": "a", "seed": 0, "accuracy": 0.1, "k": 20}, {"layer": "a", "seed": 0, "accuracy": 0.3, "k": 1}]
    with pytest.raises(ValueError, match=r"one row a seed at layer=a; two are of seed 0 and differ in accuracy, k"):
        over_seeds(rows, ("layer",), "accuracy")
    with pytest.raises(ValueError, match="two are of seed None"):
        over_seeds([{"layer": "a", "accuracy": 0.1}] * 2, ("layer",), "accuracy")


def test_missing_numbers_are_left_out_and_one_value_can_be_demanded():
    rows = [{"n": 1, "seed": s, "x": x} for s, x in enumerate((0.2, None, math.nan, 0.4))]
    (mean,) = over_seeds(rows, ("n",), "x")
    assert mean.estimate.values == (0.2, 0.4)
    assert distinct([{"a": 2}, {"a": None}, {"a": 1}, {"a": 2}], "a") == [2, 1]
    with pytest.raises(ValueError, match=r"one n, or n= must name one of 1, 2"):
        only([{"n": 1}, {"n": 2}], "n", None)
    with pytest.raises(ValueError, match=r"n must be one of the table's \(1\), got 3"):
        only([{"n": 1}], "n", 3)


def test_lines_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x = rng.normal(size=9)
    y = 1.5 * x + rng.normal(size=9)
    line, wanted = fit_line(x, y), stats.linregress(x, y)
    half = stats.t.ppf(0.975, 7) * wanted.stderr
    assert (line.slope, line.intercept) == pytest.approx((wanted.slope, wanted.intercept))
    assert line.slope_interval == pytest.approx((wanted.slope - half, wanted.slope + half))
    # The interval of the line at 0 is that of the intercept.
    half = stats.t.ppf(0.975, 7) * wanted.intercept_stderr
    assert line.interval_at(0.0) == pytest.approx((wanted.intercept - half, wanted.intercept + half))
    assert fit_line([1.0, 1.0], [2.0, 3.0]) is None
    assert fit_line([1.0, 2.0], [2.0, 3.0]).slope_interval is None
    assert Estimate((1.0, 2.0)).interval is None


def test_gather_adds_what_tells_runs_apart(tmp_path):
    folders = [synthetic_tables.layers(tmp_path, seed) for seed in (0, 1)]
    rows = gather(folders, "layers.csv")
    assert {row["seed"] for row in rows} == {0, 1}
    assert {row["run"] for row in rows} == {folder.name for folder in folders}
    # The table's own column of the name stays.
    assert {row["labels"] for row in rows} == {"true", "used"}
    assert gather([load_run(folders[0])], "layers.csv") == rows[: len(rows) // 2]
    assert gather(folders, "nothing.csv") == []


def test_gather_tells_runs_of_one_seed_apart_by_its_parts(tmp_path):
    folders = [synthetic.benign(tmp_path / str(n), label_seed=n) for n in (0, 5)]
    assert [row["seed"] for row in gather(folders, "summary.json")] == [0, "seed 0, label_seed 5"]


def test_csv_tables_of_a_run_as_columns(tmp_path):
    run = load_run(synthetic_tables.layers(tmp_path))
    table = run.table("layers.csv")
    assert table["depth"].dtype == np.int64
    assert table["accuracy"].dtype == np.float64
    # "true" is a kind of labels here, and no truth value.
    assert set(table["labels"]) == {"true", "used"}
    assert np.isnan(table["k"]).any()
    (run.dir / "own.csv").write_text('a,b,c,d\n1,True,,"x, y"\n-2,False,3.5,\n')
    own = run.table("own.csv")
    assert own["a"].tolist() == [1, -2]
    assert own["b"].dtype == bool
    assert np.isnan(own["c"][0])
    assert own["c"][1] == 3.5
    assert own["d"].tolist() == ["x, y", None]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "it has no header"), (b"a,b\n1\n", r"row 2: must have 2 cells, has 1"), (b"\xff\xfe", "not a CSV table")],
)
def test_broken_csv_is_named(tmp_path, content, message):
    run = load_run(synthetic_tables.layers(tmp_path))
    (run.dir / "layers.csv").write_bytes(content)
    with pytest.raises(CorruptRunFile, match=rf"layers\.csv.*{message}"):
        run.table("layers.csv")
    with pytest.raises(RunIncomplete):
        run.table("none.csv")
