"""What figures work out themselves: differences within seeds, and the line through a frontier."""

from __future__ import annotations

import numpy as np
import pytest

from rote.report import figures, plotted
from rote.report.figures.frontier import frontier_fit
from rote.report.figures.robustness import paired_cells


def test_robustness_pairs_by_seed_and_by_equal_steps():
    place = {"loss": "ce", "norm": "group", "label_classes": 10}

    def row(augment, seed, steps, probe):
        return {**place, "augment": augment, "seed": seed, "steps": steps, "probe_accuracy": probe}

    rows = [
        row("full", 0, 100, 0.5),
        row("none", 0, 100, 0.4),
        row("full", 0, 300, 0.9),
        row("none", 0, 300, 0.6),
        row("full", 1, 300, 0.8),
        row("none", 1, 300, 0.6),
        row("full", 2, 300, 0.8),  # no partner
        row("none", 2, 100, 0.1),
        row("full", 3, 900, 0.8),  # no partner of its length
    ]
    (cell,) = paired_cells(rows)
    assert cell.at == {**place, "steps": 300}
    assert cell.estimate.values == pytest.approx((0.3, 0.2))
    with pytest.raises(ValueError, match="one row a seed at loss=ce"):
        paired_cells([*rows, row("full", 0, 300, 0.9)])
    with pytest.raises(ValueError, match="a seed that was run with and without"):
        figures.plot_robustness(rows[:1])


def test_frontier_fits_what_is_not_budget_limited():
    sizes = (1000, 2000, 4000, 8000)
    rows = [
        {"parameters": size, "samples": 0.3 * size**slope, "seed": seed, "budget_limited": False}
        for seed, slope in enumerate((0.9, 1.0, 1.1))
        for size in sizes
    ]
    rows.append({"parameters": 16000, "samples": 10, "seed": 0, "budget_limited": True})
    fit = frontier_fit(rows)
    assert [line.slope for line in fit.seeds] == pytest.approx([0.9, 1.0, 1.1])
    half = 4.302652729911275 * 0.1 / np.sqrt(3)
    assert fit.slope_interval == pytest.approx((1 - half, 1 + half))
    value, (low, high) = fit.at(2000)
    assert value == pytest.approx(0.3 * 2000)
    assert low < value < high
    shown = plotted(figures.plot_frontier(rows))
    low, high = fit.slope_interval
    assert shown[-1] == {"fit": "slope", "slope": fit.slope, "slope_low": low, "slope_high": high, "seeds": 3}
    assert [row["budget_limited"] for row in shown[:-1]] == [False] * 4 + [True]
    one = frontier_fit([row for row in rows if row["seed"] == 0])
    assert not one.over_seeds
    assert one.slope == pytest.approx(0.9)
