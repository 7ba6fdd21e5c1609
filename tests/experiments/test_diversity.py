"""`diversity`: recipes and strengths in one table."""

from __future__ import annotations

import csv

import pytest
from scipy import stats

from rote.experiments import DiversityConfig, diversity
from rote.experiments.diversity.experiment import on_the_dial
from rote.experiments.examining.conditions import at_matched
from rote.runs import Measurements, load_run


@pytest.fixture
def options(tiny):
    return {**tiny, "strengths": (1.0, 0.0), "recipes": ("flip-crop",)}


def test_a_row_for_each_recipe_and_strength(options):
    run = diversity(**options)
    rows = list(csv.DictReader((run.dir / "diversity.csv").open()))
    assert [(row["recipe"], row["strength"]) for row in rows] == [
        ("flip-crop", ""),
        ("none", "0.0"),
        ("digits", "1.0"),
    ]
    members = [load_run(run.dir.parent / row["run"]) for row in rows]
    assert {member.summary["steps"] for member in members} == {8}
    for row, member in zip(rows, members, strict=True):
        assert float(row["probe_accuracy"]) == member.summary["probe_accuracy"]
        assert row["steps_to_90"] == ""
    assert members[1].record["recipe"]["operations"] == []
    assert float(rows[1]["view_distance"]) == 0 < float(rows[2]["view_distance"])
    summary = run.summary
    assert summary["strengths"] == [0.0, 1.0]
    assert summary["rows"][0]["strength"] is None
    assert summary["strongest_probe"] == members[2].summary["probe_accuracy"]
    assert diversity(**options).dir == run.dir


def test_strength_one_is_the_recipe_itself(options, tiny):
    from rote.experiments import benign

    run = diversity(**options)
    plain = benign(**tiny)
    assert run.summary["rows"][2]["run"] == plain.dir.name
    assert plain.config["augment"] == "digits"


def test_dials():
    papers = DiversityConfig(dial="rand-augment", strengths=(0.5, 0.25))
    assert [c.config.augment for c in papers.conditions()] == ["strength-0.25", "strength-0.5"]
    own = DiversityConfig(augment="benign-mild", strengths=(2.0, 0.5))
    assert [c.config.augment for c in own.conditions()] == ["benign-mild@0.5", "benign-mild@2"]
    assert DiversityConfig().strengths == (0.2, 0.4, 0.6, 0.8, 1.0)
    assert DiversityConfig(recipes=("none",)).strengths == ()
    assert len(DiversityConfig().benign_runs()) == 5


def row(strength: float, steps: int | None, probe: float) -> dict:
    return {"strength": strength, "steps_to_90": steps, "probe_accuracy": probe}


def test_dial_by_hand():
    rows = [row(0.2, 100, 0.40), row(0.4, 300, 0.46), row(0.6, 200, 0.47), row(0.8, None, 0.44), row(1.0, None, 0.41)]
    said = on_the_dial(rows)
    assert said["spearman_steps_strength"] == pytest.approx(stats.spearmanr(range(5), [1, 3, 2, 9, 9]).statistic)
    assert (said["optimum_strength"], said["optimum_probe"], said["strongest_probe"]) == (0.6, 0.47, 0.41)
    assert on_the_dial([])["spearman_steps_strength"] is None
    assert on_the_dial([])["optimum_strength"] is None


class Measured:
    """A run of two evaluations."""

    metrics = Measurements(
        {"step": step, "metric": metric, "layer": layer, "references": "all", "value": value}
        for step, clean, probe in ((0, 0.1, 0.35), (50, 0.92, 0.45), (100, 0.99, 0.44))
        for metric, layer, value in (("accuracy_clean", None, clean), ("probe_accuracy", "encoder", probe))
    )


def test_matched_memorization():
    assert at_matched(Measured, 0.9, "encoder") == {"probe_at_matched": 0.45, "matched_step": 50}
    assert at_matched(Measured, 0.95, "encoder") == {"probe_at_matched": 0.44, "matched_step": 100}
    assert at_matched(Measured, 1.0, "encoder") == {"probe_at_matched": None, "matched_step": None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dial": "volume"}, "--dial must be"),
        ({"augment": "none"}, "--dial scaled scales the recipe"),
        ({"strengths": (0.5, 0.5)}, "--strengths must not repeat"),
        ({"recipes": ("none", "none")}, "--recipes must not repeat"),
        ({"strengths": (-1.0,)}, "strength must be finite"),
        ({"strengths": (1.5,), "dial": "rand-augment"}, "strength-1.5"),
        ({"recipes": ("nothing",)}, "--augment must be"),
        ({"matched": 1.5}, "--matched"),
    ],
)
def test_bad_options_name_themselves(options, change, message):
    with pytest.raises(ValueError, match=message):
        diversity(**{**options, **change})
    assert not options["out"].exists() or not list(options["out"].iterdir())
