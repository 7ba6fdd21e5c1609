"""Claims 24 and 25: what the studies of `size` show of capacity under noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rote.claims.criterion import CIFAR, NARROW
from rote.claims.evidence import Evidence, Study, plain
from rote.claims.judge import above, below, contains
from rote.claims.line import Line, line
from rote.claims.records import RunRecord
from rote.runs import CorruptRunFile


def _study(name: str) -> Callable[[Study], bool]:
    return lambda study: study["study"] == name


def _noisy_inputs(study: Study) -> bool:
    return "inputs" in (study["kinds"] or ())


def _both_kinds(study: Study) -> bool:
    return {"inputs", "labels"} <= set(study["kinds"] or ())


def convergence(evidence: Evidence) -> Iterator[Line]:
    """Claim 24. Noise is that of figure 6, Gaussian noise in place of images; noisy labels stand in the notes.

    A run's correlation is the mean over its levels. Ratios that are lower bounds count as they stand.
    """
    for study in evidence.of("size", _study("convergence"), _noisy_inputs, plain):
        runs = study.records
        parts = [
            above("Spearman of the ratio with the number of images", _orders(runs, "inputs", "images"), 0.0),
            below("with the width", _orders(runs, "inputs", "width"), 0.0),
        ]
        unordered = sum(order["spearman"] is None for run in runs for order in _of(run, "inputs"))
        doubt = f"{unordered} orders of fewer than three sizes at which real data were fitted" if unordered else ""
        yield line(24, parts, runs, covers=_covers(runs), notes=_labels(runs), doubt=doubt)


def noise(evidence: Evidence) -> Iterator[Line]:
    """Claim 25. Best widths are those of the mean over the levels of log2, a run at a time."""
    for study in evidence.of("size", _study("noise"), _both_kinds, plain):
        runs = study.records
        parts = [
            above("log2 of the best width, noisy inputs - clean", study.numbers("log2_best_width_inputs"), 0.0),
            contains("noisy labels - clean", study.numbers("log2_best_width_labels"), 0.0),
        ]
        removed = study.numbers("log2_best_width_removed")
        notes = f"noisy examples removed: {sum(removed) / len(removed):+.2f}"
        widest = sum(_clean_is_widest(run) for run in runs)
        doubt = f"in {widest} runs the widest network is the best on clean data already" if widest else ""
        yield line(25, parts, runs, covers=_covers(runs), notes=notes, doubt=doubt)


def _clean_is_widest(run: RunRecord) -> bool:
    clean = [row["best_width"] for row in run.rows("best_width.csv") if row["kind"] == "clean"]
    if len(clean) != 1:
        raise CorruptRunFile(f"{run.folder / 'best_width.csv'} must have one row of kind clean; has {len(clean)}")
    return clean[0] == max(run.config["widths"])


def _covers(runs: list[RunRecord]) -> str:
    return NARROW if runs[0].data == CIFAR else runs[0].data


def _of(run: RunRecord, kind: str) -> list[dict[str, Any]]:
    """The orders under one kind of noise."""
    orders = run.summary.get("orders")
    if not isinstance(orders, list):
        raise CorruptRunFile(f"{run.folder / 'summary.json'}: orders must be a list; got {orders!r}")
    return [order for order in orders if order["kind"] == kind]


def _orders(runs: list[RunRecord], kind: str, sweep: str) -> list[float]:
    """A number for each run; an order that is not known counts as none."""
    found = []
    for run in runs:
        own = [order["spearman"] or 0.0 for order in _of(run, kind) if order["sweep"] == sweep]
        if not own:
            raise CorruptRunFile(f"{run.folder / 'summary.json'}: orders lacks the sweep over {sweep}")
        found.append(sum(own) / len(own))
    return found


def _labels(runs: list[RunRecord]) -> str:
    if not _of(runs[0], "labels"):
        return ""
    means = {}
    for sweep in ("images", "width"):
        own = _orders(runs, "labels", sweep)
        means[sweep] = sum(own) / len(own)
    return f"noisy labels: {means['images']:+.2f} with images, {means['width']:+.2f} with width"


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {24: convergence, 25: noise}
