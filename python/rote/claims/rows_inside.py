"""Claims 5, 6 and 13: what `layers` and `invariance` show inside a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rote.claims.evidence import Evidence, augmented, default_conventions, new_views, random_labels
from rote.claims.judge import above, at_least, at_most
from rote.claims.line import Line, line
from rote.claims.records import RunRecord
from rote.claims.rows_benign import runs_of
from rote.runs import CorruptRunFile

STANDARD = (random_labels, default_conventions, new_views)


def signal(evidence: Evidence) -> Iterator[Line]:
    """Claim 5."""
    for study in evidence.of("layers", *STANDARD, augmented):
        over_others = [_best(run, "encoder") - _best(run, "projector", "pixels") for run in study.records]
        over_logits = [run.number("best_encoder_probe") - run.number("logits_probe") for run in study.records]
        parts = [
            above("best encoder layer - best other", over_others, 0.0, unit="points"),
            at_least("best encoder layer - logits", over_logits, 0.15, unit="points"),
        ]
        yield line(5, parts, study.records)


def noise(evidence: Evidence) -> Iterator[Line]:
    """Claim 6."""
    for study in evidence.of("layers", *STANDARD, augmented):
        pairs = evidence.pairs(study, augment="none", mixup="none")
        if pairs is None:
            continue
        parts = [
            at_most("encoder - chance, with", pairs.of_first(_encoder_over_chance), 0.05, unit="points"),
            at_least("encoder - chance, without", pairs.of_second(_encoder_over_chance), 0.40, unit="points"),
            at_least("logits, with", pairs.of_first(_logits), 0.95),
            at_least("logits, without", pairs.of_second(_logits), 0.95),
        ]
        yield line(6, parts, runs_of(pairs))


def invariance(evidence: Evidence) -> Iterator[Line]:
    """Claim 13."""
    for study in evidence.of("invariance", *STANDARD, augmented):
        pairs = evidence.pairs(study, augment="none", mixup="none")
        if pairs is None:
            continue
        defined = [seeds for seeds in pairs.seeds if _defined(pairs.first.runs[seeds], pairs.second.runs[seeds])]
        collapsed = len(pairs.seeds) - len(defined)
        if not defined:
            continue
        pairs.seeds = defined
        parts = []
        for quantity in ("invariance", "retrieval"):
            gained = _over_initialization(quantity)
            parts += [
                at_least(f"{quantity} over init, with", pairs.of_first(gained), 0.1),
                at_most(f"{quantity} over init, without", pairs.of_second(gained), 0.05),
            ]
        doubt = f"invariance is undefined in {collapsed} pairs of runs: all features alike" if collapsed else ""
        yield line(13, parts, runs_of(pairs), doubt=doubt)


def _best(run: RunRecord, *kinds: str) -> float:
    """The best true-label k-NN probe by test images at the end, over the layers of the given parts."""
    found = [row["accuracy"] for row in _final_knn(run, "true", "test") if row["part"] in kinds]
    if not found:
        raise CorruptRunFile(f"{run.folder / 'layers.csv'} has no final true-label k-NN probe of {', '.join(kinds)}")
    return max(found)


def _encoder_over_chance(run: RunRecord) -> float:
    chances = {row["chance"] for row in _final_knn(run, "used", "train-loo")}
    if len(chances) != 1 or None in chances:
        raise CorruptRunFile(f"{run.folder / 'layers.csv'} must give one chance level of used labels; got {chances}")
    return run.number("used_loo_encoder") - chances.pop()


def _logits(run: RunRecord) -> float:
    return run.number("used_loo_logits")


def _final_knn(run: RunRecord, labels: str, queries: str) -> list[dict]:
    wanted = {"moment": "final", "method": "knn", "labels": labels, "queries": queries}
    return [row for row in run.rows("layers.csv") if all(row[key] == value for key, value in wanted.items())]


def _defined(*runs: RunRecord) -> bool:
    """Whether every run has features that differ, so that invariance says something."""
    names = [f"{quantity}_encoder{moment}" for quantity in ("invariance", "retrieval") for moment in ("", "_init")]
    return all(name not in run.summary or run.summary[name] is not None for run in runs for name in names)


def _over_initialization(quantity: str) -> Callable[[RunRecord], float]:
    return lambda run: run.number(f"{quantity}_encoder") - run.number(f"{quantity}_encoder_init")


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {5: signal, 6: noise, 13: invariance}
