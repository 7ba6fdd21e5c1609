"""Claims 7, 8 and 10: what `capacity` shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rote.claims.criteria import BY_NUMBER
from rote.claims.criterion import TINY
from rote.claims.evidence import Evidence, Study
from rote.claims.judge import UNDECIDED, at_least, below, within
from rote.claims.line import Line, line, not_run
from rote.claims.records import RunRecord
from rote.statistics import slope

LITTLE, MUCH = 0.5, 4.0
"""Bits asked of each parameter where random labels are to fit, and where they are not."""
# A cell belongs to the one or the other when it asks for that much within this factor.
NEAR = 1.25
SIZES = 6
"""Fewest sizes of a network through which a line is laid."""


@dataclass(frozen=True)
class Cells:
    """The cells of one network and set of images, each in a run for every seed.

    Attributes:
        network: what the network is, for the text.
        little, much: (run, row) for every seed, with a random label for each view.
        shared: the row with shared labels on the pool of `much`, where there is one; None otherwise.
    """

    network: str
    little: list[tuple[RunRecord, dict[str, Any]]]
    much: list[tuple[RunRecord, dict[str, Any]]]
    shared: list[dict[str, Any] | None]


def infeasible(evidence: Evidence) -> Iterator[Line]:
    """Claim 7."""
    for cells in _all_cells(evidence):
        if not (cells.little and cells.much):
            continue
        looked = [row for _, row in cells.much if row["accuracy_half_budget"] is not None]
        if not looked:
            continue
        gains = [row["accuracy_pool"] - row["accuracy_half_budget"] for row in looked]
        parts = [
            at_least(_at(cells.little, "accuracy"), (row["accuracy_pool"] for _, row in cells.little), 0.99),
            below(_at(cells.much, "accuracy"), (row["accuracy_pool"] for _, row in cells.much), 0.7),
            below("added by doubling the visits", gains, 0.05, unit="points"),
        ]
        runs = list(dict.fromkeys(id(run) for run, _ in cells.little + cells.much))
        by_id = {id(run): run for run, _ in cells.little + cells.much}
        yield _line(7, parts, [by_id[key] for key in runs], cells)


def shared_fit(evidence: Evidence) -> Iterator[Line]:
    """Claim 8."""
    for cells in _all_cells(evidence):
        both = [(run, row, same) for (run, row), same in zip(cells.much, cells.shared, strict=True) if same]
        if both:
            gains = [same["accuracy_pool"] - row["accuracy_pool"] for _, row, same in both]
            name = _at([(run, row) for run, row, _ in both], "accuracy same - random")
            part = at_least(name, gains, 0.20, unit="points")
            yield _line(8, [part], [run for run, _, _ in both], cells)


def scaling(evidence: Evidence) -> Iterator[Line]:
    """Claim 10. The slope goes through sizes that the data did not limit, and decides where no budget did either."""
    for study in evidence.of("capacity"):
        slopes, runs, fewest, sizes = [], [], math.inf, set()
        for run in study.records:
            for rows in _frontiers(run):
                usable = [row for row in rows if row["samples"] and not row.get("data_limited")]
                fewest = min(fewest, len({row["parameters"] for row in usable if not row["budget_limited"]}))
                sizes |= {row["parameters"] for row in rows}
                if len({row["parameters"] for row in usable}) > 1:
                    parameters = [math.log(row["parameters"]) for row in usable]
                    slopes.append(slope(parameters, [math.log(row["samples"]) for row in usable]))
                    runs.append(run)
        if not sizes:
            continue
        if not slopes:
            reason = f"{len(sizes)} sizes measured, all but one at most limited by the data"
            yield replace(not_run(BY_NUMBER[10], TINY, reason), state=UNDECIDED, seeds=len(study.runs))
            continue
        doubt = f"{fewest} of {SIZES} sizes not limited by budget or data" if fewest < SIZES else ""
        note = f"{len(sizes)} sizes, {min(sizes):,} to {max(sizes):,} parameters"
        yield line(
            10,
            [within("slope", slopes, 0.8, 1.2)],
            runs,
            covers=TINY,
            scale=f"{run.data}, {run.config.get('model')}, {run.config.get('augment')}, {note}",
            doubt=doubt,
        )


def _frontiers(run: RunRecord) -> list[list[dict[str, Any]]]:
    """The rows of frontier.csv, by seed; none where the run measured no frontier."""
    if not (run.folder / "frontier.csv").exists():
        return []
    by_seed: dict[Any, list[dict[str, Any]]] = {}
    for row in run.rows("frontier.csv"):
        by_seed.setdefault(row.get("seed"), []).append(row)
    return list(by_seed.values())


def _all_cells(evidence: Evidence) -> Iterator[Cells]:
    for study in evidence.of("capacity"):
        networks = {_network(row) for run in study.records for row in _rows(run)}
        for network in sorted(networks, key=str):
            yield _cells(study, network)


def _cells(study: Study, network: tuple) -> Cells:
    little, much, shared = [], [], []
    for run in study.records:
        # Beside N images with B views may stand N x B images with one; the claims are about views.
        rows = [row for row in _rows(run) if _network(row) == network and row["images"] == run.summary.get("images")]
        own = [row for row in rows if row["label_mode"] == "random"]
        easy, hard = _nearest(own, LITTLE), _nearest(own, MUCH)
        if easy:
            little.append((run, easy))
        if hard:
            much.append((run, hard))
            same = [r for r in rows if r["label_mode"] == "same" and _pool(r) == _pool(hard)]
            shared.append(same[0] if same else None)
    return Cells(_words(network), little, much, shared)


def _nearest(rows: list[dict[str, Any]], bits: float) -> dict[str, Any] | None:
    """The row that asks for about so many bits of each parameter, or None."""
    near = [(abs(math.log(_asked(row) / bits)), number) for number, row in enumerate(rows)]
    distance, number = min(near, default=(math.inf, 0))
    return rows[number] if distance <= math.log(NEAR) + 1e-9 else None


def _asked(row: dict[str, Any]) -> float:
    return row["labels_per_parameter_bits"]


def _rows(run: RunRecord) -> list[dict[str, Any]]:
    return run.rows("capacity.csv") if (run.folder / "capacity.csv").exists() else []


def _network(row: dict[str, Any]) -> tuple:
    return (row["parameters"], row.get("width"), row.get("depth"), row.get("budget"))


def _pool(row: dict[str, Any]) -> tuple[int, int]:
    return (row["images"], row["views"])


def _words(network: tuple) -> str:
    parameters, _, _, budget = network
    return f"{parameters:,} parameters" + (f", equal {budget}" if budget else "")


def _at(cells: list[tuple[RunRecord, dict[str, Any]]], quantity: str) -> str:
    asked = sum(_asked(row) for _, row in cells) / len(cells)
    row = cells[0][1]
    return f"{quantity} at {asked:.2g} bits per parameter ({row['images']:,} x {row['views']:,} views)"


def _line(number: int, parts: list, runs: list[RunRecord], cells: Cells) -> Line:
    run = runs[0]
    scale = f"{run.data}, {run.config.get('model')} of {cells.network}, {run.config.get('augment')}"
    return line(number, parts, runs, covers=TINY, scale=scale)


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {7: infeasible, 8: shared_fit, 10: scaling}
