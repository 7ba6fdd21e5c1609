"""Sentences beside figures say what the figures show."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rote.report import figures
from rote.report.estimates import Estimate
from rote.report.records import Curve
from rote.report.story.after import best_width_finding
from rote.report.story.capacity import frontier_finding
from rote.report.story.training import curve_finding
from rote.report.tables.provenance import MANY, environment_table, settings_details


@pytest.mark.parametrize(("later", "said"), [(0.45, "from step 600 on"), (0.4, "The probe ends at 40.0\xa0%, below")])
def test_a_probe_that_starts_as_its_baseline_is_not_above_it(later, said):
    start = math.nextafter(0.4, 1)  # 0.4 and a rounding: the mean of seeds, summed in another order
    curves = {"accuracy_clean": Curve((0, 600), (0.1, 1.0)), "probe_accuracy": Curve((0, 600), (start, later))}
    condition = SimpleNamespace(
        labels="random",
        headline_layer="encoder",
        mean_curve=lambda split, metric, layer=None: curves[metric],
        raw_probe=lambda: Estimate((0.3,)),
        number=lambda name: Estimate((0.4,)),
    )
    assert said in curve_finding(condition)


def test_ticks_of_points_are_where_they_say():
    row = {"loss": "ce", "norm": "batch", "label_classes": 10, "steps": 9, "seed": 0}
    for gain in (0.013, 0.124, 0.7):
        rows = [{**row, "augment": name, "probe_accuracy": p} for name, p in (("none", 0.2), ("x", 0.2 + gain))]
        ax = figures.plot_robustness(rows)
        ax.figure.canvas.draw()
        told = [label.get_text().replace("\u2212", "-") for label in ax.get_xticklabels()]
        assert [float(text) for text in told] == pytest.approx([100 * place for place in ax.get_xticks()])


def test_cells_of_a_heat_map_are_few_paths_that_cover_it():
    cells = np.random.default_rng(0).random((50, 46))
    rows = [{"noise": 0.4, "bin": b, "epoch": e, "loss": cells[b, e]} for b in range(50) for e in range(46)]
    ax = figures.plot_loss_bands(rows)
    areas = [patch for patch in ax.patches if patch.get_transform() == ax.transData]
    assert len(areas) == 7
    corners = np.concatenate([patch.get_path().vertices.reshape(-1, 5, 2) for patch in areas])
    sides = corners[:, 2] - corners[:, 0]
    assert (sides > 0).all()
    assert sides.prod(1).sum() == pytest.approx(46 * 100)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "10", "20", "30", "40"]


def test_best_widths_are_told_seed_by_seed():
    rows = [
        {"kind": "clean", "level": 0.0, "best_width": width, "seed": seed} for seed, width in enumerate((256, 64, 64))
    ]
    assert (
        best_width_finding(rows, "labels")
        == "Smallest width about as good as the best, seed by seed: real data 64, 64, 256."
    )


def test_a_frontier_of_lower_bounds_has_no_line():
    rows = [
        {"parameters": 2**n, "samples": 2**n, "budget_limited": True, "seed": seed}
        for n in range(8, 14)
        for seed in (0, 1)
    ]
    assert frontier_finding(rows).startswith("No line: all rows were budget-limited")


def test_settings_of_many_runs_are_folded_by_experiment():
    def runs(count):
        kinds = ("benign", "csr")
        return [
            SimpleNamespace(folder=Path(f"{kinds[n % 2]}-{n}"), experiment=kinds[n % 2], config={})
            for n in range(count)
        ]

    assert settings_details(runs(MANY)).count("<details>") == MANY
    many = settings_details(runs(MANY + 2))
    assert many.startswith(f"<details><summary>{MANY // 2 + 1} runs of benign</summary><details><summary>benign-0<")
    assert many.count("<details>") == MANY + 4


def test_a_recipe_without_operations_leaves_no_gap():
    recipes = ({"operations": [{"kind": "flip"}]}, {"operations": []}, {"operations": [{"kind": "crop"}]})
    runs = [SimpleNamespace(environment={"recipe": recipe}, number=lambda name: None) for recipe in recipes]
    assert "operations kind flip | operations kind crop<" in environment_table(runs)
