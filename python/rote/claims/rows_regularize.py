"""Claim 26: what `regularize` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rote.claims.criterion import CIFAR, NARROW
from rote.claims.evidence import Evidence, Study, plain
from rote.claims.judge import at_least
from rote.claims.line import Line, line
from rote.claims.records import RunRecord
from rote.runs import CorruptRunFile

DROPOUT, COMBINED = "dropout", "dropout+adversarial"
OTHERS = ("input-dropout", "input-noise", "hidden-noise", "weight-decay")
COST = 0.02


def regularize(evidence: Evidence) -> Iterator[Line]:
    """Claim 26: the largest falls at a cost of at most two points, of all techniques in the same run."""
    for study in evidence.of("regularize", _everything, _at_two_points, plain):
        runs = study.records
        dropout = [_fall(run, DROPOUT) for run in runs]
        others = [max(_fall(run, name) for name in OTHERS) for run in runs]
        both = [_fall(run, COMBINED) for run in runs]
        parts = [
            at_least("fall of random-label accuracy by dropout", dropout, 0.5, unit="points"),
            at_least("dropout - best other", _differences(dropout, others), 0.0, unit="points"),
            at_least("with adversarial training - dropout", _differences(both, dropout), 0.0, unit="points"),
        ]
        means = {name: sum(_fall(run, name) for run in runs) / len(runs) for name in OTHERS}
        notes = ", ".join(f"{name} {100 * fall:.1f}" for name, fall in sorted(means.items(), key=lambda i: -i[1]))
        doubt = ""
        known = min(run.rows("regularize.csv")[0]["random_train_accuracy"] for run in runs)
        if known < 0.95:
            doubt = f"without a regularizer only {known:.3f} of the random labels are memorized: more epochs"
        covers = NARROW if runs[0].data == CIFAR else runs[0].data
        yield line(26, parts, runs, covers=covers, notes=notes, doubt=doubt)


def _everything(study: Study) -> bool:
    return {DROPOUT, COMBINED, *OTHERS} <= set(study["techniques"] or ())


def _at_two_points(study: Study) -> bool:
    return study["allowed_cost"] == COST


def _fall(run: RunRecord, technique: str) -> float:
    found = [row["fall"] for row in run.rows("falls.csv") if row["technique"] == technique]
    if len(found) != 1:
        raise CorruptRunFile(f"{run.folder / 'falls.csv'} must have one row of {technique}; it has {len(found)}")
    return found[0]


def _differences(first: list[float], second: list[float]) -> list[float]:
    return [a - b for a, b in zip(first, second, strict=True)]


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {26: regularize}
