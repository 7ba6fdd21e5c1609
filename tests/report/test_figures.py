"""Figures draw the numbers they are given, and their labels neither overlap nor leave the canvas."""

from __future__ import annotations

import json

import matplotlib
import numpy as np
import pytest

from rote.report import embed, figures, read_run, style
from rote.report.conditions import Estimate, group_by_condition, mean_curve, paired_difference, studies
from rote.report.records import Curve

from . import synthetic


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return [read_run(folder) for folder in synthetic.demo(tmp_path_factory.mktemp("runs"), seeds=(0, 1, 2))]


@pytest.fixture(scope="module")
def study(runs):
    return studies(runs)[0]


@pytest.fixture(scope="module")
def capacity(runs):
    return group_by_condition([run for run in runs if run.experiment == "capacity"])[0]


def drawings(study, capacity):
    for condition in study.random():
        yield figures.plot_curves(condition)
        yield figures.plot_layers(condition)
    yield figures.plot_controls(study)
    yield figures.plot_probe_along_training(study)
    yield figures_capacity.plot_capacity(capacity)
    yield figures_capacity.plot_bits(capacity)
    yield figures_views.plot_views(study.random()[0].first.samples)


def test_conditions_gather_seeds(study, capacity):
    assert [c.words() for c in study.conditions] == [
        f"{labels} labels, {how} augmentation" for labels in ("random", "true", "fresh") for how in ("with", "without")
    ]
    assert all(len(c.runs) == 3 for c in study.conditions)
    assert study.equal_steps
    assert len(capacity.runs) == 3


def test_conditions_that_differ_in_a_setting_stay_apart(tmp_path):
    folders = [synthetic.benign(tmp_path / str(lr), lr=lr) for lr in (0.001, 0.01)]
    (found,) = studies([read_run(folder) for folder in folders])
    assert [found.distinction_of(c) for c in found.conditions] == ["lr=0.001", "lr=0.01"]


def test_text_stays_on_the_canvas_and_apart(study, capacity):
    with style.applied():
        for ax in drawings(study, capacity):
            figure = ax.figure
            figure.canvas.draw()
            box = figure.bbox
            drawn = (*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label)
            texts = [text for text in drawn if text.get_text()]
            extents = [(t.get_text(), t.get_window_extent()) for t in texts]
            for text, extent in extents:
                assert extent.x0 >= box.x0 - 1, text
                assert extent.x1 <= box.x1 + 1, text
                assert extent.y0 >= box.y0 - 1, text
                assert extent.y1 <= box.y1 + 1, text
            for i, (text, one) in enumerate(extents):
                for other_text, other in extents[i + 1 :]:
                    width = min(one.x1, other.x1) - max(one.x0, other.x0)
                    height = min(one.y1, other.y1) - max(one.y0, other.y0)
                    assert width < 2 or height < 2, (text, other_text)


def test_curves_draw_the_measurements(study):
    with style.applied():
        ax = figures.plot_curves(study.random()[0])
    mean = study.random()[0].mean_curve("test", "probe_accuracy", "encoder")
    drawn = [tuple(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) == len(mean.steps)]
    assert mean.values in drawn
    levels = {line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--" and len(line.get_ydata()) == 2}
    assert any(level == pytest.approx(synthetic.RAW) for level in levels)


def test_capacity_marks_budget_limited_points_open(capacity):
    with style.applied():
        ax = figures_capacity.plot_capacity(capacity)
    opened = {
        line.get_xdata()[0]
        for line in ax.lines
        if line.get_marker() == "o" and line.get_markerfacecolor() == style.PAPER
    }
    assert opened == {32, 64}


def test_asked_bits_follow_the_pool(capacity):
    asked = figures_capacity.asked_bits_per_parameter(capacity)
    assert asked[1] == pytest.approx(64 * np.log2(10) / 3802)
    assert asked[64] == pytest.approx(64 * asked[1])


def test_a_callers_axes_and_style_are_respected(study):
    from matplotlib.figure import Figure

    before = dict(matplotlib.rcParams)
    ax = Figure(figsize=(6, 4)).add_subplot()
    assert figures.plot_curves(study.random()[0], ax) is ax
    with style.applied():
        pass
    assert dict(matplotlib.rcParams) == before


def test_inline_svg_follows_the_theme(study):
    with style.applied():
        document = embed.svg_text(figures.plot_curves(study.random()[0]).figure, "name")
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
    sheet = figures_views.contact_sheet(samples)
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
    with style.applied():
        ax = figures.plot_layers(condition)
        ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == [*names[:5], "output", "hidden", "logits"]
    part = {text.get_text(): text.get_window_extent() for text in ax.texts}
    lowest_tick = min(label.get_window_extent().y0 for label in ax.get_xticklabels())
    for name in ("encoder", "projector"):
        assert 0 <= part[name].y0 < part[name].y1 <= lowest_tick + 1
