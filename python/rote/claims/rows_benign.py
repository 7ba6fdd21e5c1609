"""Claims 1 to 4, and 14: what `benign` runs show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rote.claims.evidence import (
    Evidence,
    Pairs,
    Study,
    augmented,
    default_conventions,
    new_views,
    plain,
    random_labels,
)
from rote.claims.judge import FAILS, HOLDS, Part, above, at_least, at_most, each_at_least, within
from rote.claims.line import Line, line, scale_of
from rote.claims.records import RunRecord

MEMORIZED, MEMORIZED_WITH_VIEWS = 0.99, 0.95
STANDARD = (random_labels, default_conventions, new_views)


def malign_without(evidence: Evidence) -> Iterator[Line]:
    """Claim 1."""
    for study in evidence.of("benign", *STANDARD, plain):
        gain = [run.number("probe_accuracy") - run.number("probe_accuracy_init") for run in study.records]
        parts = [
            each_at_least("clean accuracy", study.numbers("train_accuracy"), MEMORIZED),
            within("probe - init", gain, -0.03, 0.03, unit="points"),
        ]
        yield line(1, parts, study.records)


def benign_with(evidence: Evidence) -> Iterator[Line]:
    """Claim 2."""
    for study in evidence.of("benign", *STANDARD, augmented):
        gain = [_gain(run) for run in study.records]
        parts = [
            each_at_least("clean accuracy", study.numbers("train_accuracy"), MEMORIZED),
            each_at_least("fresh views", study.numbers("train_accuracy_fresh_views"), MEMORIZED_WITH_VIEWS),
            at_least("probe - max(init, raw)", gain, 0.05, unit="points"),
        ]
        yield line(2, parts, study.records)


def cause(evidence: Evidence) -> Iterator[Line]:
    """Claim 3."""
    for study in evidence.of("benign", *STANDARD, augmented):
        pairs = evidence.pairs(study, augment="none", mixup="none")
        if pairs is not None:
            part = at_least("probe with - without", pairs.differences("probe_accuracy"), 0.05, unit="points")
            yield line(3, [part], runs_of(pairs))


def consistent_labels(evidence: Evidence) -> Iterator[Line]:
    """Claim 4."""
    for study in evidence.of("benign", *STANDARD, augmented):
        pairs = evidence.pairs(study, labels="fresh")
        if pairs is None:
            continue
        fresh = pairs.of_second(lambda run: run.number("probe_accuracy") - run.number("probe_accuracy_init"))
        parts = [
            at_least("probe fixed - fresh", pairs.differences("probe_accuracy"), 0.10, unit="points"),
            at_most("fresh - init", fresh, 0.0, unit="points"),
        ]
        yield line(4, parts, runs_of(pairs))


def conventions(evidence: Evidence) -> Iterator[Line]:
    """Claim 14. Every combination compares its own pair at equal steps; the longest pair of a combination counts."""
    places: dict[tuple, dict[tuple[str, str, str], tuple[int, Pairs]]] = {}
    for study in evidence.of("benign", new_views, augmented, _random_or_exemplar):
        combination = combination_of(study)
        pairs = evidence.pairs(study, augment="none", mixup="none")
        if combination is None or pairs is None:
            continue
        first = study.records[0]
        place = (first.data, first.summary.get("images"), study["model"], study["width"], study["augment"])
        steps = int(first.number("steps"))
        found = places.setdefault(place, {})
        if combination not in found or found[combination][0] < steps:
            found[combination] = steps, pairs
    for found in places.values():
        if len(found) > 1:
            yield _conventions_line(found)


def _conventions_line(found: dict[tuple[str, str, str], tuple[int, Pairs]]) -> Line:
    parts, runs = [], []
    for combination in sorted(found):
        _, pairs = found[combination]
        parts.append(above("/".join(combination), pairs.differences("probe_accuracy"), 0.0, unit="points"))
        runs += runs_of(pairs)
    steps = sorted({steps for steps, _ in found.values()})
    text = f"{steps[0]:,} steps" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,} steps"
    missing = [c for c in COMBINATIONS if c not in found]
    named = ", ".join("/".join(c) for c in missing)
    doubt = f"{len(missing)} of {len(COMBINATIONS)} combinations not run: {named}" if missing else ""
    if any(part.state == FAILS for part in parts):
        doubt = ""  # one combination that is not positive decides the claim
    return line(14, parts, runs, scale=scale_of(runs[0], steps=text), doubt=doubt, notes=_count(parts))


def _count(parts: list[Part]) -> str:
    positive = sum(part.state == HOLDS for part in parts)
    return f"{positive} of {len(parts)} positive"


LOSSES, NORMS, CLASSES = ("mse", "ce"), ("batch", "group"), ("2 classes", "10 classes", "N classes")
COMBINATIONS = tuple((loss, norm, classes) for loss in LOSSES for norm in NORMS for classes in CLASSES)


def combination_of(study: Study) -> tuple[str, str, str] | None:
    """(loss, norm, label classes) out of those that claim 14 asks for; None of another combination."""
    if study["labels"] == "exemplar":
        classes = "N classes"
    elif study["labels"] == "random" and study["noise"] in (None, 1, 1.0):
        first = study.records[0].summary
        count = first.get("label_classes")
        classes = "N classes" if count == first.get("images") else f"{count} classes"
    else:
        return None
    combination = (study["loss"], study["norm"], classes)
    return combination if combination in COMBINATIONS else None


def runs_of(pairs: Pairs) -> list[RunRecord]:
    """The runs of both conditions, those with a partner alone."""
    runs: list[RunRecord] = []
    for study in (pairs.first, pairs.second):
        runs += [study.runs[seeds] for seeds in pairs.seeds]
    return runs


def _gain(run: RunRecord) -> float:
    return run.number("probe_accuracy") - max(run.number("probe_accuracy_init"), run.number("probe_accuracy_raw"))


def _random_or_exemplar(study: Study) -> bool:
    return study["labels"] in ("random", "exemplar")


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {
    1: malign_without,
    2: benign_with,
    3: cause,
    4: consistent_labels,
    14: conventions,
}
