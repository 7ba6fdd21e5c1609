"""The suite's plan: every run once, in order, and enough of them for every claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from rote.claims import CRITERIA
from rote.experiments.benign import BenignConfig
from rote.experiments.suite.plan import CLAIMS, SuiteConfig, plan

ROOT = Path("pictures")


def configs(**fields):
    return [run.config for run in plan(SuiteConfig(data="folder", root=ROOT, **fields))]


def test_every_run_once():
    found = configs()
    assert len(set(found)) == len(found)


def test_every_claim_has_its_runs():
    runs = plan(SuiteConfig(root=ROOT))
    assert {claim for run in runs for claim in run.claims} == set(CLAIMS)
    for criterion in (criterion for criterion in CRITERIA if criterion.number in CLAIMS):
        own = [run for run in runs if criterion.number in run.claims]
        assert {run.config.name_of_experiment for run in own} >= set(criterion.experiments)
        assert len({run.config.seed for run in own}) >= criterion.min_seeds


def test_the_most_telling_come_first():
    runs = plan(SuiteConfig(root=ROOT))
    assert runs[0].claims[:3] == (1, 2, 3)
    parts = list(dict.fromkeys(run.part for run in runs))
    assert parts[0] == "with and without augmentation"
    assert parts.index("conventions") < parts.index("trajectories")


def test_examined_runs_stand_before_their_examination():
    found = configs()
    for position, config in enumerate(found):
        for run in config.benign_runs():
            assert run in found[:position]


def test_claims_share_their_runs():
    (mild, *_) = plan(SuiteConfig(root=ROOT, seeds=1))
    # With and without augmentation, consistent labels, layers, invariance, pools, conventions: one network.
    assert set(mild.claims) == {1, 2, 3, 4, 5, 6, 9, 13, 14, 16}


def test_conditions_of_a_pair_have_equal_steps():
    for config in configs():
        if type(config) is BenignConfig and config.data == "folder":
            assert config.images == 512
            assert config.epochs == (300 if config.evaluations == 1 and config.views is None else 900)


def test_rows():
    assert SuiteConfig(rows="1-3,9").claims() == (1, 2, 3, 9)
    only = plan(SuiteConfig(root=ROOT, rows="4", seeds=2))
    assert [(run.config.labels, run.config.seed) for run in only] == [
        *(("random", 0), ("fresh", 0), ("random", 1), ("fresh", 1))
    ]
    for wrong in ("0", "31", "3-2", "", "x", "1-"):
        with pytest.raises(ValueError, match="--rows must be"):
            SuiteConfig(rows=wrong)
    with pytest.raises(ValueError, match="--seeds must be at least 1"):
        SuiteConfig(seeds=0)


def test_without_the_large_data_only_digits():
    runs = plan(SuiteConfig())
    assert {run.config.data for run in runs} == {"digits"}
    assert {claim for run in runs for claim in run.claims} == {2, 3, 7, 8, 10, 20, 21, 24, 25, 30}


def test_seeds_are_those_of_the_preset_moved_on():
    found = [config for config in configs(preset="paper", rows="2", seeds=2) if config.data == "folder"]
    assert [(config.seed, config.label_seed) for config in found] == [(42, 17), (43, 18)]
