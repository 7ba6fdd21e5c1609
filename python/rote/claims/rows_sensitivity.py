"""Claims 20 and 21: what `sensitivity` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rote.claims.evidence import Evidence, Study, plain
from rote.claims.judge import above, at_least, below
from rote.claims.line import Line, line

_INPUTS = {"real", "random"}
_SETTINGS = {"classes", "exemplar"}


def few_examples(evidence: Evidence) -> Iterator[Line]:
    """Claim 20. A run has both kinds of inputs in both label settings, under the same seeds."""
    for study in evidence.of("sensitivity", plain, _both_inputs):
        if not set(study["settings"] or ()) >= _SETTINGS:
            continue
        parts = [
            at_least(f"Gini real - random, {name}", study.numbers(f"gini_difference_{setting}"), 0.1)
            for setting, name in (("classes", "classes"), ("exemplar", "a class for each example"))
        ]
        yield line(20, parts, study.records, notes=_accuracies(study, _SETTINGS))


def within_the_class(evidence: Evidence) -> Iterator[Line]:
    """Claim 21. Sensitivity to the loss of the own class, over that to the loss of others."""
    for study in evidence.of("sensitivity", plain, _both_inputs):
        if "classes" not in (study["settings"] or ()):
            continue
        real, random = (study.numbers(f"class_ratio_{inputs}") for inputs in ("real", "random"))
        parts = [
            above("diagonal / off-diagonal, real", real, 1.0),
            above("random", random, 1.0),
            below("real - random", [a - b for a, b in zip(real, random, strict=True)], 0.0),
        ]
        yield line(21, parts, study.records, notes=_accuracies(study, {"classes"}))


def _both_inputs(study: Study) -> bool:
    return set(study["inputs"] or ()) >= _INPUTS


def _accuracies(study: Study, settings: set[str]) -> str:
    """How far the labels were fitted, without which a sensitivity says little."""
    found = []
    for setting in sorted(settings):
        for inputs in ("real", "random"):
            values = study.numbers(f"train_accuracy_{inputs}_{setting}")
            found.append(f"{sum(values) / len(values):.2f} {inputs} {setting}")
    return f"training accuracy {', '.join(found)}"


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {20: few_examples, 21: within_the_class}
