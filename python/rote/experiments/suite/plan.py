"""The suite: every run that the claims need, each made once, the most telling first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.suite import benign, learning, location, noise, noise_fitting, regularize, size
from rote.experiments.suite.planned import CLAIMS, Planned, SuiteConfig

# Each gives the runs of some claims, `runs(suite)`, in order.
TOPICS = (benign, learning, noise, noise_fitting, size, regularize, location)


def plan(config: SuiteConfig) -> list[Planned]:
    """The runs in the order in which they are made, each once.

    A run that several claims read stands at the first of them. Where an experiment examines benign runs, those stand
    before it, so that the plan says what is shared.
    """
    wanted = set(config.claims())
    runs: dict[ExperimentConfig, Planned] = {}
    for planned in _everything(config):
        claims = wanted & set(planned.claims)
        if not claims:
            continue
        for own in (*planned.config.benign_runs(), planned.config):
            before = runs.get(own)
            both = claims | set(before.claims if before else ())
            runs[own] = Planned(before.part if before else planned.part, tuple(sorted(both)), own)
    return list(runs.values())


def _everything(suite: SuiteConfig) -> Iterator[Planned]:
    for topic in TOPICS:
        yield from topic.runs(suite)


def parts(planned: Sequence[Planned]) -> dict[str, list[Planned]]:
    """The runs by part, in order."""
    found: dict[str, list[Planned]] = {}
    for run in planned:
        found.setdefault(run.part, []).append(run)
    return found


__all__ = ["CLAIMS", "Planned", "SuiteConfig", "parts", "plan"]
