"""Layer rewinding: one part of the final network as it was at an earlier epoch, the rest as it is at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rote.experiments.location.answers import KINDS, PERMUTED, Examples, predictions, share
from rote.experiments.location.blocks import Block, put_back, with_later
from rote.experiments.location.checkpoints import Checkpoints
from rote.experiments.probing.probes import probe_statistics

STATISTICS = ("recalibrated", "running")
ALONE, AND_LATER = "alone", "and later"
NOTHING = "none"
# The permuted examples by turns: where one half chooses a block, the other says how much it does.
HALVES = ("first", "second")
COLUMNS = (
    *("kind", "name", "depth", "replaced", "epoch", "step", "bn", *KINDS),
    *(f"{PERMUTED}_{half}" for half in HALVES),
)


def final_rows(checkpoints: Checkpoints, examples: Examples) -> list[dict[str, Any]]:
    """The final network with nothing put back."""
    about = {"kind": NOTHING, "name": NOTHING, "depth": None, "replaced": NOTHING}
    return _rows(checkpoints, examples, checkpoints.state(checkpoints.final), checkpoints.final, about)


def rewound_rows(
    checkpoints: Checkpoints, examples: Examples, blocks: Sequence[Block], epoch: int
) -> list[dict[str, Any]]:
    """Every part put back to one epoch: alone, and with all later parts of its kind.

    Batch-norm statistics are those of the two moments that the weights are of ("running"), or recomputed on clean
    images with the mixed weights ("recalibrated").

    Args:
        checkpoints: of the run.
        examples: what is asked.
        blocks: the parts.
        epoch: that they are put back to.
    """
    final, earlier = checkpoints.state(checkpoints.final), checkpoints.state(epoch)
    rows: list[dict[str, Any]] = []
    # A stage is both a block and a layer; what is put back decides what is measured.
    known: dict[frozenset[str], list[dict[str, Any]]] = {}
    for block in blocks:
        for replaced, part in ((ALONE, block), (AND_LATER, with_later(block, blocks))):
            about = {"kind": block.kind, "name": block.name, "depth": block.depth, "replaced": replaced}
            entries = frozenset(part.entries(final))
            if entries not in known:
                known[entries] = _rows(checkpoints, examples, put_back(final, earlier, part), epoch, about)
            rows += [{**row, **about} for row in known[entries]]
    return rows


def _rows(
    checkpoints: Checkpoints, examples: Examples, state: dict[str, Any], epoch: int, about: Mapping[str, Any]
) -> list[dict[str, Any]]:
    network = checkpoints.network(state)
    rows = []
    for bn in STATISTICS:
        with probe_statistics(network, examples.bank.train.images, bn):
            trained = predictions(network, examples.bank.train.images, examples.ids)
            asked = predictions(network, examples.bank.test.images, examples.test_ids)
        fitted = (trained == examples.label_used)[examples.permuted]
        found = {**examples.of_predictions(trained), "test": share(asked == examples.test_labels)}
        halves = {f"{PERMUTED}_{half}": share(fitted[n::2]) for n, half in enumerate(HALVES)}
        rows.append({**about, "epoch": epoch, "step": checkpoints.step(epoch), "bn": bn, **found, **halves})
    return rows


def falls(rows: Sequence[Mapping[str, Any]], kind: str, epoch: int, bn: str, value: str = PERMUTED) -> dict[str, float]:
    """{part: fall of an accuracy when it alone is put back}, in depth order.

    Args:
        rows: of `final_rows` and `rewound_rows`.
        kind: "block" or "layer".
        epoch: that it was put back to.
        bn: batch-norm statistics.
        value: the column.
    """
    (before,) = (row[value] for row in rows if row["kind"] == NOTHING and row["bn"] == bn)
    own = [r for r in rows if (r["kind"], r["replaced"], r["epoch"], r["bn"]) == (kind, ALONE, epoch, bn)]
    return {row["name"]: before - row[value] for row in own}


def last_minus_best_other(rows: Sequence[Mapping[str, Any]], kind: str, epoch: int, bn: str) -> float | None:
    """Fall of the accuracy on permuted examples by putting the last part back, less that of the best other part.

    The best other part is the one with the largest fall on one half of the permuted examples; what counts is its fall
    on the other half, and the last part's there. Both halves take their turn, and the mean is given: the largest of
    several falls on the very examples that choose it would be too large by chance. None with fewer than two permuted
    examples or parts.
    """
    sides = []
    for chooses, counts in (HALVES, HALVES[::-1]):
        if any(row[f"{PERMUTED}_{half}"] is None for row in rows for half in HALVES):
            return None
        choice = falls(rows, kind, epoch, bn, f"{PERMUTED}_{chooses}")
        *others, last = choice
        if not others:
            return None
        counted = falls(rows, kind, epoch, bn, f"{PERMUTED}_{counts}")
        best = max(others, key=lambda name: choice[name])
        sides.append(counted[last] - counted[best])
    return sum(sides) / len(sides)
