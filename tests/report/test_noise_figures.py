"""Figures of `noise`: what they draw of a run's trainings, and what they leave out."""

from __future__ import annotations

import pytest

from rote.report import figures, gather, plotted, write_page
from rote.report.story import noise as story

from .synthetic_noise import CONDITIONS, noise

ROW = {"crop": False, "weight_decay": 0.0, "steps_to_loss": 100.0, "epochs_to_99": 10, "test_accuracy": 0.4}
ROW |= {"train_accuracy": 1.0}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return [noise(root, seed) for seed in range(3)]


def test_curves_are_those_of_whole_conditions(folders):
    table = gather(folders, "metrics.jsonl")
    drawn = plotted(figures.plot_noise_curves(table))
    assert list(dict.fromkeys(row["condition"] for row in drawn)) == list(CONDITIONS)
    lines = [
        row
        for row in table
        if (row["metric"], row["condition"], row["corruption"], row["crop"], row["weight_decay"], row["step"])
        == ("loss", "random-labels", 1.0, False, 0.0, 31)
    ]
    assert len(lines) == 3
    (first,) = [row for row in drawn if (row["condition"], row["step"]) == ("random-labels", 31)]
    assert first["loss"] == pytest.approx(sum(row["value"] for row in lines) / 3)


def test_what_was_never_fitted_is_counted():
    rows = [
        {**ROW, "condition": "true", "corruption": 0.0, "seed": 0},
        {**ROW, "condition": "true", "corruption": 0.0, "seed": 1, "steps_to_loss": None},
        {**ROW, "condition": "random-labels", "corruption": 1.0, "seed": 0, "steps_to_loss": None},
    ]
    ax = figures.plot_fitting_order(rows)
    assert [text.get_text() for text in ax.texts] == ["100\n(1 never)", "never"]
    with pytest.raises(ValueError, match="fitted"):
        figures.plot_fitting_order(rows[2:])


def test_relative_time_is_by_seed():
    rows = [
        {**ROW, "condition": name, "corruption": level, "seed": seed, "epochs_to_99": epochs}
        for seed, base in enumerate((10, 20))
        for name, level, epochs in (("true", 0.0, base), ("random-labels", 1.0, 3 * base))
    ]
    drawn = plotted(figures.plot_corruption(rows, value="relative_time"))
    assert [row["relative_time"] for row in drawn] == [1.0, 3.0]
    errors = plotted(figures.plot_corruption(rows))
    assert [row["test_error"] for row in errors] == pytest.approx([0.6, 0.6])


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("plot_fitting_order", {"value": "seconds"}, "value must be one of steps_to_loss"),
        ("plot_corruption", {"value": "loss"}, "value must be one of relative_time"),
        ("plot_corruption", {}, "at least two levels"),
        ("plot_regularizers", {}, "with and without random crops"),
    ],
)
def test_tables_that_do_not_fit(function, options, message):
    rows = [{**ROW, "condition": "true", "corruption": 0.0}]
    with pytest.raises(ValueError, match=message):
        getattr(figures, function)(rows, **options)


def test_curves_want_a_whole_condition():
    part = {"step": 1, "metric": "loss", "value": 1.0, "corruption": 0.5, "condition": "gaussian", **ROW}
    with pytest.raises(ValueError, match="loss of a condition"):
        figures.plot_noise_curves([part])


def test_findings(folders):
    rows = gather(folders, "noise.csv")
    assert story.order_finding(rows) == (
        "Fitted in this order: true labels, shuffled pixels, Gaussian noise, random pixels, random labels."
    )
    assert story.time_finding(rows, "random-labels").startswith("9 epochs on true data, 35 where")
    assert "test accuracy on true labels is 46" in story.regularizers_finding(rows)
    assert "5 conditions" in story.fitted_finding(rows)
    assert story.error_finding(rows, "random-labels").endswith("corrupted.")


def test_a_page_of_noise_alone(folders, tmp_path):
    page = write_page(folders, tmp_path / "page.html").read_text()
    assert '<section id="noise">' in page
    stems = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert {"noise-curves", "fitting-order", "corruption-time", "corruption-error", "regularizers"} <= stems
