"""Claim 22: what `csr` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rote.claims.criterion import CIFAR, NARROW
from rote.claims.evidence import Evidence, plain
from rote.claims.judge import at_least
from rote.claims.line import Line, line

_CONDITIONS = {"real", "randX", "randY"}
_NOISE = ("randX", "randY")


def complex_functions(evidence: Evidence) -> Iterator[Line]:
    """Claim 22. A run has the three trainings under the same seeds; shares below 1 say nothing about it.

    A ratio is missing where a training did not come to the accuracy compared at, or real data had no critical sample.
    """
    for study in evidence.of("csr", plain):
        if not set(study["conditions"] or ()) >= _CONDITIONS or 1 not in (study["shares"] or ()):
            continue
        complete = [run for run in study.records if all(run.summary.get(_key(kind)) is not None for kind in _NOISE)]
        if not complete:
            continue
        accuracy = study["matched"]
        parts = [
            at_least(f"CSR {kind} / real at {accuracy:.0%}", [run.number(_key(kind)) for run in complete], 1.5)
            for kind in _NOISE
        ]
        missing = len(study.records) - len(complete)
        others = [run.summary.get("csr_ratio_randX_on_real_inputs") for run in complete]
        on_real = [value for value in others if value is not None]
        notes = "inputs of the kind trained on"
        if on_real:
            notes += f"; randX on real inputs {sum(on_real) / len(on_real):.2f}"
        yield line(
            22,
            parts,
            complete,
            covers=NARROW if complete[0].data == CIFAR else None,
            notes=notes,
            doubt=f"{missing} runs have no ratio at {accuracy:.0%} training accuracy" if missing else "",
        )


def _key(kind: str) -> str:
    return f"csr_ratio_{kind}"


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {22: complex_functions}
