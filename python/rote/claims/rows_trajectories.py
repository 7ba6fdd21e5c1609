"""Claims 23, 27 and 30: what `trajectories` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rote.claims.criterion import CIFAR, NARROW
from rote.claims.evidence import Evidence, Study, plain
from rote.claims.judge import above, at_least
from rote.claims.line import Line, line
from rote.claims.records import RunRecord
from rote.runs import CorruptRunFile

TRUE, NOISY, RANDOM = 0.0, 0.4, 1.0
"""Shares of redrawn labels that the claims speak of."""


def patterns_first(evidence: Evidence) -> Iterator[Line]:
    """Claim 23."""
    for study in _studies(evidence, NOISY):
        gaps = _of_level(study, NOISY, "fit_gap_at_peak")
        part = at_least("fit of clean - of corrupted at the peak", gaps, 0.40, unit="points")
        epoch = _mean(_of_level(study, NOISY, "selected_epoch"))
        notes = f"peak at epoch {epoch:.1f} of {study['epochs']}"
        yield line(23, [part], study.records, covers=_covers(study), notes=notes)


def early_stopping(evidence: Evidence) -> Iterator[Line]:
    """Claim 27."""
    for study in _studies(evidence, NOISY):
        part = at_least("selected - final test", _of_level(study, NOISY, "test_gain"), 0.05, unit="points")
        selected, final = (_mean(_of_level(study, NOISY, name)) for name in ("test_selected", "test_final"))
        notes = f"test {selected:.3f} selected, {final:.3f} final"
        yield line(27, [part], study.records, covers=_covers(study), notes=notes)


def only_when_needed(evidence: Evidence) -> Iterator[Line]:
    """Claim 30: a line for each data set."""
    for study in _studies(evidence, TRUE, NOISY, RANDOM):
        fitted = [_of_level(study, noise, "fitted_at_third") for noise in (TRUE, NOISY, RANDOM)]
        parts = [
            above(f"fitted at a third of the steps, {name}", differences, 0.0, unit="points")
            for name, differences in (
                ("true - noisy", [a - b for a, b in zip(fitted[0], fitted[1], strict=True)]),
                ("noisy - random", [a - b for a, b in zip(fitted[1], fitted[2], strict=True)]),
            )
        ]
        notes = "true, noisy, random: " + ", ".join(f"{_mean(values):.3f}" for values in fitted)
        yield line(30, parts, study.records, covers=_covers(study), notes=notes)


def _studies(evidence: Evidence, *levels: float) -> list[Study]:
    """Those that have all of these shares of redrawn labels."""
    return [
        study
        for study in evidence.of("trajectories", plain)
        if all(any(_same(level, noise) for noise in study["noise"] or ()) for level in levels)
    ]


def _of_level(study: Study, level: float, name: str) -> list[float]:
    """A column of trajectories_levels.csv at one share, of every run."""
    return [_number(run, level, name) for run in study.records]


def _number(run: RunRecord, level: float, name: str) -> float:
    found = [row.get(name) for row in run.rows("trajectories_levels.csv") if _same(row["noise"], level)]
    if len(found) != 1 or not isinstance(found[0], (int, float)):
        raise CorruptRunFile(
            f"{run.folder / 'trajectories_levels.csv'} must have one number {name} at noise {level:g}; got {found}"
        )
    return float(found[0])


def _same(noise: float, level: float) -> bool:
    return abs(noise - level) < 1e-9


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _covers(study: Study) -> str | None:
    """CIFAR-10 with narrow networks is a scale of its own; other data sets are called by their names."""
    return NARROW if study.records[0].data == CIFAR else None


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {
    23: patterns_first,
    27: early_stopping,
    30: only_when_needed,
}
