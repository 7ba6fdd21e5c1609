"""Claim 29: whether memorization sits in the last layers, by what `location` runs put back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from rote.claims.evidence import Evidence, Pairs, Study, default_conventions
from rote.claims.judge import FAILS, HOLDS, UNDECIDED, Part, above, below
from rote.claims.line import Line, line
from rote.claims.records import RunRecord
from rote.claims.rows_benign import runs_of

PARTLY, ALL = 0.1, 1.0
KEY = "last_minus_best_other"


def last_layers(evidence: Evidence) -> Iterator[Line]:
    """Claim 29. It fails only where both parts lie below 0: one on either side says that it depends on the noise."""
    for study in evidence.of("location", default_conventions, _partly_noisy, _rewound):
        pairs = evidence.pairs(study, noise=ALL)
        if pairs is None or not _rewound(pairs.second):
            continue
        measured = {PARTLY: pairs.of_first(_last_minus_best), ALL: pairs.of_second(_last_minus_best)}
        parts = [_part(f"last block - best other at noise {noise:g}", values) for noise, values in measured.items()]
        one_sided = {part.state for part in parts} == {FAILS}
        doubt = "" if one_sided or FAILS not in (p.state for p in parts) else "below 0 at one of the two alone"
        yield line(29, parts, runs_of(pairs), notes=_notes(pairs), doubt=doubt)


def _partly_noisy(study: Study) -> bool:
    return study["noise"] == PARTLY


def _rewound(study: Study) -> bool:
    """Whether the runs put blocks back, and had enough wrong labels to ask about."""
    return all(run.summary.get(KEY) is not None for run in study.records)


def _last_minus_best(run: RunRecord) -> float:
    return run.number(KEY)


def _part(name: str, values: list[float]) -> Part:
    """Above 0, below 0, or neither."""
    part = above(name, values, 0.0, unit="points")
    if part.state == FAILS and below(name, values, 0.0).state != HOLDS:
        part = dataclasses.replace(part, state=UNDECIDED)
    return part


def _notes(pairs: Pairs) -> str:
    """The epoch that decides, which block the best other one is in most runs, and what initialization says."""
    epochs = sorted({int(pairs.first.runs[seeds].number("rewound_epoch")) for seeds in pairs.seeds})
    text = [f"put back to epoch {', '.join(map(str, epochs))}"]
    for noise, study in ((PARTLY, pairs.first), (ALL, pairs.second)):
        runs = [study.runs[seeds] for seeds in pairs.seeds]
        others = [str(run.summary.get("best_other_block")) for run in runs]
        initial = [run.number(f"{KEY}_init") for run in runs]
        mean = 100 * sum(initial) / len(initial)
        text.append(
            f"noise {noise:g}: best other {max(others, key=others.count)}, to initialization {mean:+.1f} points"
        )
    return "; ".join(text)


ROWS = {29: last_layers}
