"""Figures draw the numbers they are given, and their labels neither overlap nor leave the canvas."""

from __future__ import annotations

import json

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from rote import load_run
from rote.report import embed, figures, gather, plotted, read_run, style
from rote.report.conditions import group_by_condition, mean_curve, paired_difference, studies
from rote.report.estimates import Estimate
from rote.report.figures.capacity import asked_bits_per_parameter
from rote.report.figures.samples import contact_sheet
from rote.report.records import Curve
from rote.report.sections.inside import probe_rows

from . import synthetic

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return [read_run(folder) for folder in synthetic.demo(tmp_path_factory.mktemp("runs"), seeds=SEEDS)]


@pytest.fixture(scope="module")
def study(runs):
    return studies(runs)[0]


@pytest.fixture(scope="module")
def capacity(runs):
    return gather([run for run in runs if run.experiment == "capacity"], "capacity.csv")


@pytest.fixture(scope="module")
def measured(study):
    return gather(study.random()[0].runs, "metrics.jsonl")


def test_conditions_gather_seeds(study, capacity):
    assert [c.words() for c in study.conditions] == [
        f"{labels} labels, {how} augmentation" for labels in ("random", "true", "fresh") for how in ("with", "without")
    ]
    assert all(len(c.runs) == 3 for c in study.conditions)
    assert study.equal_steps
    assert {row["seed"] for row in capacity} == set(SEEDS)


def test_of_two_runs_with_the_same_seeds_one_counts(tmp_path):
    folders = [synthetic.benign(tmp_path / str(n)) for n in range(2)]
    (condition,) = group_by_condition([read_run(folder) for folder in folders])
    assert len(condition.runs) == 1


def test_conditions_that_differ_in_a_setting_stay_apart(tmp_path):
    folders = [synthetic.benign(tmp_path / str(lr), lr=lr) for lr in (0.001, 0.01)]
    (found,) = studies([read_run(folder) for folder in folders])
    assert [found.distinction_of(c) for c in found.conditions] == ["lr=0.001", "lr=0.01"]


def test_of_many_settings_one_that_tells_all_apart_is_told(tmp_path):
    settings = [{"width": 8 * n, "depth": n % 2, "k": n % 2, "epochs": n % 2, "lr": 0.1 * n} for n in (1, 2, 3)]
    folders = [synthetic.benign(tmp_path / str(one["width"]), **one) for one in settings]
    (found,) = studies([read_run(folder) for folder in folders])
    assert [found.distinction_of(c) for c in found.conditions] == ["width=8", "width=16", "width=24"]


def test_curves_draw_the_measurements(measured, study):
    ax = figures.plot_curves(measured)
    mean = study.random()[0].mean_curve("test", "probe_accuracy", "encoder")
    drawn = [tuple(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) == len(mean.steps)]
    assert any(values == pytest.approx(mean.values) for values in drawn)
    levels = {line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--" and len(line.get_ydata()) == 2}
    assert any(level == pytest.approx(synthetic.RAW) for level in levels)
    found = [row for row in plotted(ax) if row["layer"] == "encoder" and row.get("step") == synthetic.STEPS]
    assert found[0]["value"] == pytest.approx(mean.values[-1])
    assert found[0]["value_low"] < found[0]["value"] < found[0]["value_high"]


def test_curves_take_the_measurements_of_one_loaded_run(runs, study):
    ax = figures.plot_curves(load_run(study.random()[0].first.folder).metrics)
    assert [row["seeds"] for row in plotted(ax)] == [1] * len(plotted(ax))


def test_curves_of_two_conditions_are_refused(runs):
    with pytest.raises(ValueError, match="table must have one labels"):
        figures.plot_curves(gather([run for run in runs if run.experiment == "benign"], "metrics.jsonl"))


def test_capacity_marks_budget_limited_points_open(capacity):
    ax = figures.plot_capacity(capacity)
    opened = {
        line.get_xdata()[0]
        for line in ax.lines
        if line.get_marker() == "o" and line.get_markerfacecolor() == style.PAPER
    }
    assert opened == {32, 64}


def test_asked_bits_follow_the_pool(capacity):
    asked = asked_bits_per_parameter(capacity)
    assert asked[1] == pytest.approx(64 * np.log2(10) / 3802)
    assert asked[64] == pytest.approx(64 * asked[1])


def test_a_callers_axes_and_style_are_respected(measured):
    before = dict(matplotlib.rcParams)
    ax = Figure(figsize=(6, 4)).add_subplot()
    assert figures.plot_curves(measured, ax) is ax
    figures.plot_curves(measured)
    assert dict(matplotlib.rcParams) == before


def test_inline_svg_follows_the_theme(measured):
    document = embed.svg_text(figures.plot_curves(measured).figure, "name")
    inline = embed.inline_svg(document, 'a "figure" <of> something')
    for light, _ in style.THEME.values():
        assert light not in inline.lower()
    assert "var(--fig-blue)" in inline
    assert "var(--fig-vermilion)" in inline
    assert 'aria-label="a &quot;figure&quot; &lt;of&gt; something"' in inline
    assert "http" not in inline
    assert " width=" not in inline.split(">", 1)[0]


def test_contact_sheet_places_every_picture(study):
    samples = study.random()[0].first.samples
    sheet = contact_sheet(samples)
    n, count = samples.views.shape[:2]
    assert sheet.shape == (n * 17 - 1, (count + 1) * 17 - 1, 3)
    np.testing.assert_array_equal(sheet[:16, :16], np.moveaxis(samples.originals[0], 0, -1))
    np.testing.assert_array_equal(sheet[-16:, -16:], np.moveaxis(samples.views[-1, -1], 0, -1))


def test_mean_curve_uses_the_steps_all_share():
    assert mean_curve([Curve((0, 1, 2), (0.0, 0.5, 1.0)), Curve((0, 2), (0.5, 0.5))]) == Curve((0, 2), (0.25, 0.75))
    assert not mean_curve([])


def test_interval_needs_three_seeds():
    assert Estimate((0.1, 0.2)).interval is None
    low, high = Estimate((0.1, 0.2, 0.3)).interval
    assert low == pytest.approx(0.2 - 4.302652729911275 * 0.1 / np.sqrt(3))
    assert high == pytest.approx(0.4 - low)


def test_paired_difference_pairs_by_seed(study):
    with_, without = study.random()
    found = paired_difference(with_, without, lambda run: run.number("probe_accuracy"))
    expected = [
        a.number("probe_accuracy") - b.number("probe_accuracy") for a, b in zip(with_.runs, without.runs, strict=True)
    ]
    assert found.values == pytest.approx(expected)


def test_a_deep_network_has_room_for_its_layers(tmp_path):
    folder = synthetic.benign(tmp_path)
    path = folder / "summary.json"
    names = ["stem", "layer1", "layer2", "layer3", "layer4", "encoder", "projector.hidden", "logits"]
    table = {name: {"init": 0.3, "final": 0.3 + 0.05 * i} for i, name in enumerate(names)}
    synthetic.write_json(path, {**json.loads(path.read_text()), "probe_by_layer": table})
    (condition,) = group_by_condition([read_run(folder)])
    ax = figures.plot_layers(probe_rows(condition))
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == [*names[:5], "output", "hidden", "logits"]
    part = {text.get_text(): text.get_window_extent() for text in ax.texts}
    lowest_tick = min(label.get_window_extent().y0 for label in ax.get_xticklabels())
    for name in ("encoder", "projector"):
        assert 0 <= part[name].y0 < part[name].y1 <= lowest_tick + 1
