"""Claims 9, 11 and 12: what the number and the kind of views change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rote.claims.evidence import Evidence, Study, augmented, default_conventions, new_views, random_labels
from rote.claims.judge import above, at_least
from rote.claims.line import Line, line, scale_of
from rote.claims.records import RunRecord
from rote.statistics import spearman

POOLS, STRENGTHS = 4, 4
"""Fewest values of B, and of the strength, over which an order is judged."""


def pools(evidence: Evidence) -> Iterator[Line]:
    """Claim 9."""
    for infinite in evidence.of("benign", random_labels, default_conventions, new_views, augmented):
        sizes = {study["views"]: study for study in _pools_of(evidence, infinite)}
        if 1 not in sizes:
            continue
        sizes[math.inf] = infinite
        seeds = sorted(set.intersection(*(set(study.runs) for study in sizes.values())))
        if not seeds:
            continue
        ordered = sorted(sizes)
        probes = {s: [sizes[views].runs[s].number("probe_accuracy") for views in ordered] for s in seeds}
        parts = [
            at_least("probe(infinite) - probe(1)", (p[-1] - p[0] for p in probes.values()), 0.05, unit="points"),
            at_least("Spearman of probe and B", (spearman(ordered, p) for p in probes.values()), 0.8),
        ]
        runs = [sizes[views].runs[s] for views in ordered for s in seeds]
        few = f"{len(ordered)} of {POOLS} pool sizes" if len(ordered) < POOLS else ""
        names = ", ".join("infinite" if views == math.inf else f"{views:g}" for views in ordered)
        yield line(9, parts, runs, scale=scale_of(infinite.records[0]), notes=f"B = {names}", doubt=few)


def diversity(evidence: Evidence) -> Iterator[Line]:
    """Claim 11. The strength that is compared with both ends is the one that the other seeds rate best, so that no
    maximum over noise is taken for an optimum. A strength that never reached 90 % counts as later than all others.
    """
    for study in evidence.of("diversity", random_labels, default_conventions):
        tables = {seeds: _by_strength(run) for seeds, run in study.runs.items()}
        strengths = sorted(set.intersection(*(set(table) for table in tables.values())))
        if len(strengths) < 3:
            continue
        orders = [spearman(strengths, [_steps(table[s]) for s in strengths]) for table in tables.values()]
        probes = [[table[s]["probe_accuracy"] for s in strengths] for table in tables.values()]
        parts = [at_least("Spearman of strength and steps to 90 %", orders, 0.9)]
        chosen = interior_choices(probes) if len(probes) > 1 else []
        if chosen:
            best = [p[index] for p, index in zip(probes, chosen, strict=True)]
            over_strongest = (b - p[-1] for b, p in zip(best, probes, strict=True))
            over_weakest = (b - p[0] for b, p in zip(best, probes, strict=True))
            parts += [
                at_least("interior - strongest", over_strongest, 0.02, unit="points"),
                above("interior - weakest", over_weakest, 0.0, unit="points"),
            ]
        few = f"{len(strengths)} of {STRENGTHS} strengths" if len(strengths) < STRENGTHS else ""
        listed = ", ".join(f"{s:g}" for s in strengths)
        first = study.records[0]
        yield line(
            11, parts, study.records, scale=scale_of(first, recipe="strengths"), notes=f"strengths {listed}", doubt=few
        )


def ideal(evidence: Evidence) -> Iterator[Line]:
    """Claim 12."""
    for study in evidence.of("ideal", random_labels, default_conventions):
        part = at_least("probe same-class - recipe", study.numbers("difference"), 0.03, unit="points")
        yield line(12, [part], study.records)


def interior_choices(probes: Sequence[Sequence[float]]) -> list[int]:
    """For every seed, the interior position whose mean over the other seeds is largest.

    Args:
        probes: [seeds][strengths], at least two seeds and three strengths.
    """
    chosen = []
    for left_out in range(len(probes)):
        others = [values for number, values in enumerate(probes) if number != left_out]
        means = [sum(column) / len(others) for column in zip(*others, strict=True)]
        chosen.append(max(range(1, len(means) - 1), key=means.__getitem__))
    return chosen


def _pools_of(evidence: Evidence, infinite: Study) -> list[Study]:
    studies = evidence.of("benign", random_labels, default_conventions, augmented)
    finite = [study for study in studies if study["views"] is not None]
    return [study for study in finite if evidence.counterpart(study, views=None) is infinite]


def _by_strength(run: RunRecord) -> dict[float, dict[str, Any]]:
    return {row["strength"]: row for row in run.rows("diversity.csv") if row["strength"] is not None}


def _steps(row: dict[str, Any]) -> float:
    return math.inf if row["steps_to_90"] is None else row["steps_to_90"]


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {9: pools, 11: diversity, 12: ideal}
