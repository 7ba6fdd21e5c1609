"""Figures of `sensitivity` and `csr`: what they draw of their tables, and their sections on a page."""

from __future__ import annotations

import pytest

from rote.report import figures, gather, plotted, write_page
from rote.report.story import noise_fitting as story

from .synthetic_noise_fitting import csr, sensitivity


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {name: [make(root, seed) for seed in range(3)] for name, make in (("csr", csr), ("gini", sensitivity))}


def mean(rows, value, **where):
    found = [row[value] for row in rows if all(row[key] == wanted for key, wanted in where.items())]
    assert len(found) == 3
    return sum(found) / 3


def test_gini_is_the_mean_over_seeds(folders):
    rows = gather(folders["gini"], "sensitivity.csv")
    for value in ("gini", "gini_now"):
        drawn = plotted(figures.plot_gini(rows, value=value))
        assert len(drawn) == 40
        (last,) = (r for r in drawn if (r["inputs"], r["labels"], r["epoch"]) == ("random", "exemplar", 100))
        assert last[value] == pytest.approx(mean(rows, value, inputs="random", labels="exemplar", epoch=100))
        assert last["seeds"] == 3


def test_matrix_has_darker_squares_where_more_hangs(folders):
    rows = gather(folders["gini"], "sensitivity_classes.csv")
    ax = figures.plot_class_matrix(rows, inputs="random")
    drawn = {(r["loss_class"], r["example_class"]): r["sensitivity"] for r in plotted(ax)}
    assert drawn[3, 5] == pytest.approx(mean(rows, "sensitivity", inputs="random", loss_class=3, example_class=5))
    squares = {}
    for patch in ax.patches[:100]:
        x, y = patch.get_xy()
        squares[round(y + 0.5), round(x + 0.5)] = patch.get_facecolor()
    diagonal = {squares[i, i] for i in range(10)}
    others = {squares[i, j] for i in range(10) for j in range(10) if i != j}
    assert not diagonal & others
    # A row is a class of the loss; the first stands on top.
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    with pytest.raises(ValueError, match="positive sensitivity"):
        figures.plot_class_matrix([{**row, "sensitivity": 0.0} for row in rows])


def test_csr_draws_the_inputs_of_the_headline(folders):
    rows = gather(folders["csr"], "csr.csv")
    drawn = plotted(figures.plot_csr(rows))
    assert {row["condition"] for row in drawn} == {"real", "randX", "randY"}
    (last,) = (row for row in drawn if (row["condition"], row["epoch"]) == ("randX", 60))
    assert last["csr"] == pytest.approx(mean(rows, "csr", condition="randX", share=1.0, epoch=60, inputs="noise"))
    by_accuracy = plotted(figures.plot_csr(rows, against="train_accuracy"))
    assert [row["csr"] for row in by_accuracy] == [row["csr"] for row in drawn]
    with pytest.raises(ValueError, match="real data or of a share of 1"):
        figures.plot_csr([row for row in rows if 0 < row["share"] < 1])


def test_shares_of_noise_are_asked_about_real_images(folders):
    rows = gather(folders["csr"], "csr.csv")
    for value in ("csr", "test_accuracy"):
        drawn = plotted(figures.plot_csr_against_noise(rows, value=value))
        assert [row["share"] for row in drawn if row["condition"] == "randX"] == [0.0, 0.2, 0.5, 0.8, 1.0]
        (whole,) = (row for row in drawn if (row["condition"], row["share"]) == ("randX", 1.0))
        assert whole[value] == pytest.approx(mean(rows, value, condition="randX", share=1.0, epoch=60, inputs="real"))
    with pytest.raises(ValueError, match="rows of noise"):
        figures.plot_csr_against_noise([row for row in rows if row["condition"] == "real"])


def test_findings(folders):
    rows = gather(folders["gini"], "sensitivity.csv")
    real = mean(rows, "gini", inputs="real", labels="classes", epoch=100)
    assert f"classes of the data {real:.2f} on real images" in story.gini_finding(rows)
    ratio = mean(rows, "class_ratio", inputs="random", labels="classes", epoch=100)
    assert f"{ratio:.1f} times as much" in story.matrix_finding(rows, "random")
    found = story.csr_finding(gather(folders["csr"], "csr.csv"), gather(folders["csr"], "csr_matched.csv"))
    assert "2.0 for random labels" in found
    assert "90.0" in found
    assert "at 100%" in story.shares_finding(gather(folders["csr"], "csr.csv"), "csr")


def test_sections_stand_on_a_page(folders, tmp_path):
    path = write_page([*folders["csr"], *folders["gini"]], tmp_path / "page.html", formats=("svg", "csv"))
    text = path.read_text(encoding="utf-8")
    for anchor in ("sensitivity", "csr"):
        assert f'<section id="{anchor}">' in text
    made = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert {"gini", "class-matrix-real", "class-matrix-random", "csr", "csr-accuracy"} <= made
    assert {"noise-share-csr", "noise-share-test-accuracy"} <= made
