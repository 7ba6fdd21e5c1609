"""The main experiment among series of runs that turn a dial."""

from __future__ import annotations

import pytest

from rote.report import read_run
from rote.report.conditions import studies
from rote.report.protocols import dial, main, turning

from . import synthetic, synthetic_series


@pytest.fixture
def study(tmp_path):
    folders = synthetic.demo(tmp_path / "demo") + synthetic_series.pools(tmp_path / "pools")
    folders += synthetic_series.conventions(tmp_path / "conventions")
    (found,) = studies([read_run(folder) for folder in folders if folder.name.startswith("benign")])
    return found


def test_main_holds_every_dial_still(study):
    kept = main(study)
    assert len(study.conditions) == 6 + 4 + 22
    assert {(c.labels, c.augmented) for c in kept.conditions} == {
        (labels, augmented) for labels in ("random", "true", "fresh") for augmented in (True, False)
    }
    assert len(kept.conditions) == 6
    assert {dial(c.first, "views") for c in kept.conditions} == {None}


def test_turning_frees_the_named_dials_alone(study):
    runs = turning(study, main(study), "views", keep=lambda c: c.labels == "random" and c.augmented)
    assert sorted(dial(run, "views") or 0 for run in runs) == [0, 1, 4, 16, 64]
    runs = turning(study, main(study), "loss", "norm", "label_classes", keep=lambda c: c.labels == "random")
    assert len(runs) == 24
    assert {dial(run, "views") for run in runs} == {None}


def test_of_many_recipes_the_examined_one_is_main(tmp_path):
    recipes = ("strong", "weak", "digits", "mild")
    folders = [synthetic.benign(tmp_path, augment=recipe) for recipe in (*recipes, "none")]
    (study,) = studies([read_run(folder) for folder in folders])
    assert [c.augment for c in main(study, {"mild"}).conditions] == ["mild", "none"]
    assert [c.augment for c in main(study).conditions] == ["strong", "none"]
    # That of the controls comes before all others.
    folders.append(synthetic.benign(tmp_path, labels="fresh", augment="weak"))
    (study,) = studies([read_run(folder) for folder in folders])
    assert {c.augment for c in main(study, {"mild"}).conditions} == {"weak", "none"}


def test_two_recipes_stand_side_by_side(tmp_path):
    folders = [synthetic.benign(tmp_path, augment=recipe) for recipe in ("digits", "mild")]
    (study,) = studies([read_run(folder) for folder in folders])
    assert len(main(study).conditions) == 2
