"""Claim 19: what `easy` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rote.claims.criterion import CIFAR, NARROW
from rote.claims.evidence import Evidence, plain
from rote.claims.judge import above, at_least, contains
from rote.claims.line import Line, line

KINDS = {"real", "randX", "randY"}


def easy_examples(evidence: Evidence) -> Iterator[Line]:
    """Claim 19. A run has the three kinds of networks side by side, under the same seeds."""
    for study in evidence.of("easy", plain):
        if not KINDS.issubset(study["kinds"] or ()):
            continue
        real, rand_x, rand_y = (study.numbers(f"over_dispersion_{kind}") for kind in ("real", "randX", "randY"))
        parts = [
            at_least("over-dispersion, true labels", real, 3.0),
            contains("randX", rand_x, 1.0),
            above("randY", rand_y, 1.0),
            above("true labels - randY", [a - b for a, b in zip(real, rand_y, strict=True)], 0.0),
        ]
        covers = NARROW if study.records[0].data == CIFAR else None
        notes = f"{study['runs']} networks of {study['epochs']} epoch{'s' * (study['epochs'] != 1)} each"
        yield line(19, parts, study.records, covers=covers, notes=notes)


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {19: easy_examples}
