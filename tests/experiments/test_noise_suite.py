"""The runs of claims 15 to 18: every part of their criteria, in three seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from rote.experiments.noise.cells import CONDITIONS, Cell, cells_of
from rote.experiments.suite.noise import runs
from rote.experiments.suite.planned import SuiteConfig


@pytest.mark.parametrize("preset", ["laptop", "quick", "paper"])
def test_every_part_of_the_criteria_has_its_cells(preset):
    planned = list(runs(SuiteConfig(preset=preset, root=Path("pictures"))))
    assert len({run.config for run in planned}) == len(planned)
    for claim in (15, 16, 17, 18):
        own = [run.config for run in planned if claim in run.claims and run.config.name_of_experiment == "noise"]
        assert len({config.seed for config in own}) >= 3
    for config in (run.config for run in planned if 15 in run.claims):
        whole = {Cell(name, float(name != "true"), False, 0.0) for name in CONDITIONS}
        assert whole <= set(cells_of(config))
    for config in (run.config for run in planned if 17 in run.claims):
        regularized = [cell for cell in cells_of(config) if cell.crop and cell.weight_decay > 0]
        assert {cell.condition for cell in regularized} == {"true", "random-labels"}
    for config in (run.config for run in planned if 18 in run.claims):
        cells = [cell for cell in cells_of(config) if not cell.crop and cell.weight_decay == 0]
        levels = {cell.corruption for cell in cells if cell.condition in ("true", "random-labels")}
        assert {0.0, 1.0} <= levels
        assert len(levels) >= 5
    assert any(run.config.name_of_experiment == "benign" for run in planned if 16 in run.claims)


def test_without_the_large_data_there_is_nothing_to_run():
    assert list(runs(SuiteConfig())) == []
