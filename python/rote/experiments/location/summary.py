"""What a `location` run comes down to; among it what decides claim 29."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rote.experiments.location.answers import KINDS, PERMUTED, TEST, UNPERMUTED
from rote.experiments.location.blocks import BLOCK, LAYER
from rote.experiments.location.latent import LINEAR, USED
from rote.experiments.location.rewinding import NOTHING, falls, last_minus_best_other
from rote.experiments.location.tied_dropout import DROPPED, EXPECTED

if TYPE_CHECKING:
    from rote.experiments.location.experiment import LocationConfig

Rows = Sequence[Mapping[str, Any]]


def summary_of(tables: Mapping[str, Rows], config: LocationConfig) -> dict[str, Any]:
    """The headline numbers of the parts that were done."""
    makers = {
        "rewinding": _rewinding,
        "retraining": _retraining,
        "gradients": _gradients,
        "tied": _tied,
        "neurons": _neurons,
        "zeroed": _zeroed,
        "geometry": _geometry,
        "latent": _latent,
    }
    found: dict[str, Any] = {"parts": list(config.parts)}
    for name, rows in tables.items():
        if rows:
            found |= makers[name](rows, config)
    return found


def _rewinding(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    """`last_minus_best_other`: blocks put back alone to the early epoch, batch-norm statistics as the run has them."""
    (final,) = (row for row in rows if row["kind"] == NOTHING and row["bn"] == config.bn)
    of_blocks = falls(rows, BLOCK, config.early, config.bn)
    *others, last = of_blocks
    best = max(others, key=of_blocks.get) if others else None
    return {
        **{f"accuracy_{kind}": final[kind] for kind in KINDS},
        "rewound_epoch": config.early,
        "last_minus_best_other": last_minus_best_other(rows, BLOCK, config.early, config.bn),
        "last_minus_best_other_init": last_minus_best_other(rows, BLOCK, 0, config.bn),
        "last_minus_best_other_layers": last_minus_best_other(rows, LAYER, config.early, config.bn),
        "last_block": last,
        "best_other_block": best,
        "fall_permuted_last": of_blocks[last],
        "fall_permuted_best_other": None if best is None else of_blocks[best],
        "fall_permuted": of_blocks,
        "fall_unpermuted": falls(rows, BLOCK, config.early, config.bn, UNPERMUTED)
        if final[UNPERMUTED] is not None
        else None,
    }


def _retraining(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    last = max(row["epoch"] for row in rows)
    own = [row for row in rows if row["kind"] == BLOCK and row["epoch"] == last]
    return {f"retrained_{kind}": {row["name"]: row[kind] for row in own} for kind in (UNPERMUTED, PERMUTED, TEST)}


def _gradients(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    cosines = [row for row in rows if row["kind"] == BLOCK and row["cosine"] is not None]
    if not cosines:
        return {}
    lowest = min(cosines, key=lambda row: row["cosine"])
    return {"lowest_cosine": lowest["cosine"], "lowest_cosine_epoch": lowest["epoch"]}


def _tied(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    last = max(row["epoch"] for row in rows)
    own = {row["state"]: row for row in rows if row["epoch"] == last and row["bn"] == config.bn}
    return {
        f"tied_{kind}_{when}": own[state][kind]
        for kind in KINDS
        for when, state in (("before", EXPECTED), ("dropped", DROPPED))
    }


def _neurons(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in (UNPERMUTED, PERMUTED):
        own = [row for row in rows if row["kind"] == kind]
        found[f"neurons_{kind}"] = statistics.median(row["neurons"] for row in own)
        found[f"flipped_{kind}"] = sum(row["flipped"] for row in own) / len(own)
    return {**found, "neuron_examples": len(rows) // 2}


def _zeroed(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    """The share of each layer among the neurons that were zeroed for permuted examples."""
    own = [row["layer"] for row in rows if row["kind"] == PERMUTED]
    return {"neuron_layers": {layer: own.count(layer) / len(own) for layer in dict.fromkeys(sorted(own))}}


def _geometry(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    """The capacity in the last layer of the encoder, at the end."""
    end = max(row["epoch"] for row in rows)
    own = [row for row in rows if row["epoch"] == end and row["part"] == "encoder"]
    last = max((row["depth"] for row in own), default=None)
    return {f"capacity_{row['examples']}": row["capacity"] for row in own if row["depth"] == last}


def _latent(rows: Rows, config: LocationConfig) -> dict[str, Any]:
    """The best probe at the end beside the network's own test accuracy, with the labels that it was given.

    The layer is that of the best probe over all epochs but the last, so that none is picked for its luck at the end.
    """
    end = max(row["epoch"] for row in rows)
    found: dict[str, Any] = {}
    own = [row for row in rows if (row["method"], row["labels"]) == (LINEAR, USED)]
    earlier = [row for row in own if row["epoch"] != end]
    best = max(earlier, key=lambda row: row["accuracy"])
    at_end = next(row for row in own if row["epoch"] == end and row["layer"] == best["layer"])
    found["latent_layer"] = best["layer"]
    found["latent_best_epoch"], found["latent_best_accuracy"] = best["epoch"], best["accuracy"]
    found["latent_accuracy"], found["own_accuracy"] = at_end["accuracy"], at_end["own_accuracy"]
    found["latent_gain"] = at_end["accuracy"] - at_end["own_accuracy"]
    return found
