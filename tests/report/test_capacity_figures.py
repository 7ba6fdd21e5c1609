"""Figures and findings of `regularize` and of size under noise: the numbers of their tables."""

from __future__ import annotations

import pytest

from rote.report import figures, gather, plotted
from rote.report.story import after, regularize

from . import synthetic_capacity

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    names = ("regularize", "convergence", "noise_capacity")
    return {name: [getattr(synthetic_capacity, name)(root, seed) for seed in SEEDS] for name in names}


def test_trade_off_has_both_accuracies_of_every_setting(folders):
    rows = gather(folders["regularize"], "regularize.csv")
    drawn = {(row["technique"], row["strength"]): row for row in plotted(figures.plot_regularizer_tradeoff(rows))}
    assert len(drawn) == 19
    for (technique, strength), row in drawn.items():
        own = [r for r in rows if (r["technique"], r["strength"]) == (technique, strength)]
        for name in ("random_train_accuracy", "test_selected"):
            assert row[name] == pytest.approx(sum(r[name] for r in own) / 3)


def test_trade_off_begins_without_a_regularizer(folders):
    rows = [row for row in gather(folders["regularize"], "regularize.csv") if row["technique"] != "none"]
    with pytest.raises(ValueError, match="technique none"):
        figures.plot_regularizer_tradeoff(rows)


def test_losses_are_those_of_the_middle_strength(folders):
    drawn = plotted(figures.plot_regularizer_losses(gather(folders["regularize"], "loss_curves.csv")))
    assert {(row["technique"], row["strength"]) for row in drawn} == {
        *(("none", 0.0), ("dropout", 0.6), ("input-dropout", 0.6), ("input-noise", 1.5), ("hidden-noise", 0.2)),
        *(("weight-decay", 0.1), ("dropout+adversarial", 0.25)),
    }


def test_lower_bounds_are_told_apart(folders):
    rows = gather(folders["convergence"], "convergence.csv")
    drawn = plotted(figures.plot_convergence(rows))
    censored = {(r["kind"], r["level"], r["width"]) for r in rows if r["sweep"] == "width" and r["censored"]}
    assert {(row["kind"], row["level"], row["width"]) for row in drawn if row["lower_bound"]} == censored
    assert censored
    with pytest.raises(ValueError, match="must have a ratio to draw"):
        figures.plot_convergence([{**row, "ratio": None} for row in rows], value="ratio")


def test_one_kind_of_noise_stands_beside_clean_and_removed(folders):
    drawn = plotted(figures.plot_noise_capacity(gather(folders["noise_capacity"], "noise_capacity.csv"), kind="labels"))
    assert {row["kind"] for row in drawn} == {"clean", "labels", "removed"}


def test_findings(folders):
    falls = gather(folders["regularize"], "falls.csv")
    assert regularize.falls_finding(falls).startswith(
        "Points by which what is known of random labels falls within the allowed cost: "
    )
    assert "dropout 72" in regularize.falls_finding(falls)
    losses = gather(folders["regularize"], "loss_curves.csv")
    assert "without a regularizer and at most" in regularize.losses_finding(losses, "random")
    assert regularize.losses_finding(losses, "fresh") == ""
    rows = gather(folders["convergence"], "convergence.csv")
    text = after.convergence_finding(rows, "images")
    assert text.startswith("Epochs, as a multiple of those on real data: 50")
    assert "at 128" in text
    assert after.convergence_finding([row for row in rows if row["kind"] == "clean"], "width") == ""
    best = gather(folders["noise_capacity"], "best_width.csv")
    assert after.best_width_finding(best, "inputs").startswith(
        "Smallest width about as good as the best, seed by seed: real data 64, 64, 64; noisy inputs (50"
    )
    assert "128" in after.best_width_finding(best, "inputs")
