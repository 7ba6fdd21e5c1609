"""Figures of single examples: their numbers against numpy and scipy, their text, bad tables."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import spearmanr

from rote.report import export, figures, plotted, style
from rote.report.figures.example_columns import evenly

from .examples.synthetic_examples import examples


@pytest.fixture(scope="module")
def columns():
    table = examples(400, epochs=9)
    rng = np.random.default_rng(2)
    columns = dict(table.columns)
    columns["never_learned"] = np.arange(400) % 25 == 0
    columns["forgetting_events"] = rng.poisson(1.5, 400)
    columns["is_threshold"] = np.arange(400) % 11 == 5
    columns["curvature"] = columns["memorization"] + rng.normal(size=400)
    return columns


@pytest.fixture(scope="module")
def losses():
    path = examples(60, epochs=9).trajectories["loss"]
    at = {"example_id": np.tile(np.arange(60), 9), "epoch": np.repeat(path.epochs, 60)}
    return {**at, "loss": path.values.ravel()}


DRAWINGS = [
    ("plot_data_map", "columns", {}),
    ("plot_aum", "columns", {}),
    ("plot_aum", "columns", {"threshold": 0.3}),
    ("plot_forgetting", "columns", {}),
    ("plot_sorted_losses", "losses", {}),
    ("plot_score_correlations", "columns", {"reliability": {"aum": 0.93}}),
]


@pytest.mark.parametrize(("function", "table", "options"), DRAWINGS, ids=[f"{d[0]}-{len(d[2])}" for d in DRAWINGS])
def test_text_stays_apart_on_the_canvas_and_colours_have_names(request, tmp_path, function, table, options):
    table = request.getfixturevalue(table)
    ax = getattr(figures, function)(table, **options)
    figure = ax.figure
    figure.canvas.draw()
    box = figure.bbox
    ticks = [*zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)]
    inside = [label for at, label in ticks if min(ax.get_xlim()) <= at <= max(ax.get_xlim())]
    ticks = [*zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)]
    inside += [label for at, label in ticks if min(ax.get_ylim()) <= at <= max(ax.get_ylim())]
    texts = [text for text in [*ax.texts, *inside, ax.xaxis.label] if text.get_text()]
    extents = [(text.get_text(), text.get_window_extent()) for text in texts]
    for text, extent in extents:
        assert box.x0 - 1 <= extent.x0, text
        assert extent.x1 <= box.x1 + 1, text
        assert box.y0 - 1 <= extent.y0, text
        assert extent.y1 <= box.y1 + 1, text
    for i, (text, one) in enumerate(extents):
        for other_text, other in extents[i + 1 :]:
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert width < 2 or height < 2, (text, other_text)
    written = export(ax, tmp_path, "it", ("svg", "csv", "tex"))
    colors = {word.lower() for word in re.findall(r"#[0-9a-fA-F]{6}\b", written[0].read_text())}
    assert colors <= {light for light, _ in style.THEME.values()}
    rows = [dict(zip(table, values, strict=True)) for values in zip(*(c.tolist() for c in table.values()), strict=True)]
    assert plotted(getattr(figures, function)(rows, **options)) == plotted(ax)


def test_the_data_map_shows_every_example_or_a_fixed_choice(columns):
    shown = plotted(figures.plot_data_map(columns))
    assert len(shown) == 400
    assert [row["confidence"] for row in shown] == columns["confidence"].tolist()
    np.testing.assert_allclose(
        [row["correctness"] for row in shown], columns["correctness"] / columns["correctness"].max()
    )
    few = plotted(figures.plot_data_map(columns, most=50))
    assert len(few) == 50
    assert few == plotted(figures.plot_data_map(columns, most=50))
    for count, most in ((10, 20), (100, 7), (4096, 1000)):
        chosen = evenly(count, most)
        assert len(set(chosen.tolist())) == min(count, most)
        assert 0 <= chosen.min() <= chosen.max() < count


def test_the_aum_histogram_and_its_threshold(columns):
    rows = plotted(figures.plot_aum(columns))
    samples = columns["is_threshold"]
    threshold = next(row for row in rows if row["group"] == "threshold")
    assert threshold["aum_low"] == pytest.approx(np.percentile(columns["aum"][samples], 99))
    for group, wrong in (("right", False), ("wrong", True)):
        own = [row for row in rows if row["group"] == group]
        edges = [row["aum_low"] for row in own] + [own[-1]["aum_high"]]
        values = columns["aum"][~samples & (columns["is_corrupted"] == wrong)]
        np.testing.assert_allclose([row["share"] for row in own], np.histogram(values, edges)[0] / len(values))
        assert sum(row["share"] for row in own) == pytest.approx(1)
    alone = plotted(figures.plot_aum({"aum": columns["aum"]}))
    assert {row["group"] for row in alone} == {"all"}


def test_forgetting_counts_and_the_never_learned(columns):
    rows = plotted(figures.plot_forgetting(columns))
    never, events = columns["never_learned"], columns["forgetting_events"]
    for wrong in (False, True):
        group = columns["is_corrupted"] == wrong
        own = {row["forgetting_events"]: row["share"] for row in rows if row["is_corrupted"] == wrong}
        assert own.pop("never learned") == pytest.approx((never & group).sum() / group.sum())
        for count, share in own.items():
            assert share == pytest.approx((group & ~never & (events == count)).sum() / group.sum())
    many = {"forgetting_events": np.arange(40), "never_learned": np.zeros(40, dtype=bool)}
    rows = plotted(figures.plot_forgetting(many))
    assert rows[11] == {"forgetting_events": 11, "share": pytest.approx(29 / 40)}


def test_losses_are_sorted_by_one_half_and_drawn_by_the_other(losses):
    rows = plotted(figures.plot_sorted_losses(losses))
    cube = losses["loss"].reshape(9, 60)
    order = cube[0::2].mean(0).argsort(kind="stable")
    parts = np.array_split(order, 40)
    assert [row["epoch"] for row in rows[:4]] == [2, 4, 6, 8]
    expected = [cube[e, part].mean() for part in parts for e in (1, 3, 5, 7)]
    np.testing.assert_allclose([row["loss"] for row in rows], expected)
    rng = np.random.default_rng(0)
    noise = {**losses, "loss": rng.normal(size=540)}
    last = [row["loss"] for row in plotted(figures.plot_sorted_losses(noise))]
    # Noise stays noise: what sorted the bands has no part in what is drawn.
    assert abs(spearmanr(np.repeat(np.arange(40), 4), last)[0]) < 0.2
    seeds = {name: np.tile(column, 2) for name, column in losses.items()}
    seeds |= {"seed": np.repeat([0, 1], 540), "loss": np.concatenate([losses["loss"], losses["loss"][::-1]])}
    rows = plotted(figures.plot_sorted_losses(seeds))
    order = cube.mean(0).argsort(kind="stable")
    drawn = cube.ravel()[::-1].reshape(9, 60)
    expected = [drawn[e, part].mean() for part in np.array_split(order, 40) for e in range(9)]
    np.testing.assert_allclose([row["loss"] for row in rows], expected)


def test_correlations_are_scipys_and_means_over_seeds(columns):
    names = ["aum", "confidence", "memorization", "curvature"]
    rows = plotted(figures.plot_score_correlations(columns, scores=names))
    for row in rows:
        x, y = columns[row["score"]], columns[row["other"]]
        both = np.isfinite(x) & np.isfinite(y)
        assert row["spearman"] == pytest.approx(spearmanr(x[both], y[both])[0])
        assert row["seeds"] == 1
    assert len(rows) == 6
    seed = np.arange(400) % 3
    rows = plotted(figures.plot_score_correlations({**columns, "seed": seed}, scores=["aum", "curvature"]))
    each = []
    for one in range(3):
        x, y = columns["aum"][seed == one], columns["curvature"][seed == one]
        both = np.isfinite(y)
        each.append(spearmanr(x[both], y[both])[0])
    assert rows[0]["spearman"] == pytest.approx(np.mean(each))
    assert rows[0]["seeds"] == 3
    assert all(a != b for a, b in pairwise(names))


def test_bad_tables_are_refused(columns, losses):
    with pytest.raises(ValueError, match="table must have the columns of two scores"):
        figures.plot_score_correlations({"aum": np.arange(5.0)})
    with pytest.raises(ValueError, match="table must have the columns grand; it has"):
        figures.plot_score_correlations(columns, scores=["aum", "grand"])
    with pytest.raises(ValueError, match="two epochs or two seeds"):
        figures.plot_sorted_losses({name: column[:60] for name, column in losses.items()})
    with pytest.raises(ValueError, match="table must have columns of one length"):
        figures.plot_aum({"aum": np.zeros(3), "is_corrupted": np.zeros(2, dtype=bool)})
    with pytest.raises(ValueError, match="an example with an AUM, it has none"):
        figures.plot_aum({"aum": np.full(3, np.nan)})
    with pytest.raises(ValueError, match="table must have numbers in aum"):
        figures.plot_aum({"aum": np.array(["a", "b"])})
