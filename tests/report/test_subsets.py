"""Figures and section of memorization scores: numbers of the tables, pictures, no single scores."""

from __future__ import annotations

import numpy as np
import pytest

from rote.report import (
    RunFolderError,
    export,
    gather,
    plot_halves,
    plot_influence,
    plot_memorization,
    plotted,
    write_page,
)
from rote.report.story.subsets import ranking_finding

from . import synthetic_subsets
from .test_page import Page


def section_of(page: Page) -> str:
    return page.source[
        page.source.index('<section id="memorization">') : page.source.index('<section id="provenance">')
    ]


def test_histogram_is_the_mean_over_seeds(tmp_path):
    folders = [synthetic_subsets.memorization(tmp_path, seed) for seed in (0, 1, 2)]
    rows = gather(folders, "memorization.csv")
    shown = plotted(plot_memorization(rows))
    for row in shown[:-1]:
        own = [r["share"] for r in rows if (r["label"], r["low"]) == (row["label"], row["low"])]
        assert row["share"] == pytest.approx(np.mean(own))
        assert row["seeds"] == 3
    assert {row["label"] for row in shown[:-1]} == {"right", "wrong"}
    assert shown[-1] == {"standard_error": pytest.approx(0.05)}


def test_halves_show_every_example(tmp_path):
    rows = gather([synthetic_subsets.memorization(tmp_path)], "halves.csv")
    ax = plot_halves(rows)
    assert len(plotted(ax)) == 200
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "o") == 200
    assert [path.name for path in export(ax, tmp_path, "halves", ("svg", "csv"))] == ["halves.svg", "halves.csv"]


@pytest.mark.parametrize("single", [False, True])
def test_pictures_stand_beside_their_test_image(single):
    arrays = synthetic_subsets.grid(np.random.default_rng(3), 4)
    ax = plot_influence(arrays, single_scores=single)
    rows = plotted(ax)
    assert len(ax.images) == 4 + 3 * 5 + 2
    assert [row["train_id"] for row in rows[:5]] == arrays["train_id"][0].tolist()
    assert all(("influence" in row) == single for row in rows)
    ax.figure.canvas.draw()
    box = ax.figure.bbox
    extents = [text.get_window_extent() for text in ax.texts]
    for extent in extents:
        assert box.x0 - 1 <= extent.x0 < extent.x1 <= box.x1 + 1
        assert box.y0 - 1 <= extent.y0 < extent.y1 <= box.y1 + 1
    for i, one in enumerate(extents):
        for other in extents[i + 1 :]:
            width, height = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
            assert width < 2 or height < 2


def test_bad_grids_are_refused():
    arrays = synthetic_subsets.grid(np.random.default_rng(3), 2)
    with pytest.raises(ValueError, match="lacks classes"):
        plot_influence({name: value for name, value in arrays.items() if name != "classes"})
    with pytest.raises(ValueError, match="at least one test image"):
        plot_influence(synthetic_subsets.grid(np.random.default_rng(3), 0))


def test_few_networks_quote_no_single_score(tmp_path):
    few = Page(write_page([synthetic_subsets.memorization(tmp_path / "few", runs=200)], tmp_path / "few.html"))
    many = Page(write_page([synthetic_subsets.memorization(tmp_path / "many", runs=4000)], tmp_path / "many.html"))
    assert "no single score is to be quoted" in few.text
    assert "± 0.03" not in section_of(few)
    assert "no single score" not in many.text
    assert "± 0.03" in section_of(many)
    assert "a standard error of 0.055 an example" in few.text
    assert "95 % interval 0.880 to 0.940" in few.text


def test_runs_without_pairs_and_broken_grids(tmp_path):
    folder = synthetic_subsets.memorization(tmp_path, pairs=0)
    page = Page(write_page([folder], tmp_path / "page.html"))
    assert section_of(page).count("<figure>") == 2
    (folder / "influence.npz").write_bytes(b"no arrays")
    with pytest.raises(RunFolderError, match=r"influence\.npz: not readable as arrays"):
        write_page([folder], tmp_path / "page.html")
    np.savez(folder / "influence.npz", something=np.zeros(3))
    with pytest.raises(RunFolderError, match=r"influence\.npz: must hold the arrays test_id; it lacks test_id"):
        write_page([folder], tmp_path / "page.html")


def test_what_the_ranking_says():
    rows = [{"auc": 0.9, "auc_low": 0.85, "auc_high": 0.95}, {"auc": 0.92, "auc_low": 0.88, "auc_high": 0.96}]
    assert "of 0.900, 0.920 (all 95 % intervals within 0.850 to 0.960)." in ranking_finding(rows)
    assert "of 0.900 (95 % interval 0.850 to 0.950)." in ranking_finding(rows[:1])
    assert ranking_finding([{"memorization_mean": 0.25}]) == "Mean score 25.0\u00a0%."
    assert ranking_finding([]) == ""
