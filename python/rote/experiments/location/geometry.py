"""Geometry of the classes in every layer: unpermuted, permuted, restored and test images as manifolds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rote.experiments.examining.examined import Tap
from rote.experiments.location.answers import KINDS, PERMUTED, RESTORED, TEST, UNPERMUTED, Examples
from rote.experiments.location.checkpoints import Checkpoints
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.features import Extractor, Shown
from rote.metrics.manifolds import manifold_geometry

COLUMNS = (
    *("epoch", "step", "layer", "depth", "part", "examples", "capacity", "radius", "dimension", "centre_correlation"),
    *("capacity_large_dimension", "manifolds", "points", "draws", "pooling", "bn"),
)
# Fewer points than this span no manifold.
FEWEST_POINTS = 2


def chosen(examples: Examples, most: int) -> dict[str, list[Tensor]]:
    """{kind: ids of each manifold}: the examples of a class, by the label that their kind is about.

    All manifolds have equally many points, since capacity falls with their number: as many as the smallest kind has for
    each class on average, at most `most`. Classes with fewer are left out of a kind. Ids of the kind "test" are those
    of test images. Kinds with fewer than two manifolds are left out.
    """
    wrong = examples.permuted
    sides = {
        UNPERMUTED: (examples.ids[~wrong], examples.label_used[~wrong]),
        PERMUTED: (examples.ids[wrong], examples.label_used[wrong]),
        RESTORED: (examples.ids[wrong], examples.label_true[wrong]),
        TEST: (examples.test_ids, examples.test_labels),
    }
    classes = examples.bank.num_classes
    points = min(most, *(len(ids) // classes for ids, _ in sides.values()))
    points = max(points, FEWEST_POINTS)
    found = {}
    for kind, (ids, labels) in sides.items():
        members = [ids[labels == label] for label in range(classes)]
        whole = [own[:points] for own in members if len(own) >= points]
        if len(whole) >= 2:
            found[kind] = whole
    return found


def geometry_rows(
    checkpoints: Checkpoints,
    examples: Examples,
    taps: Sequence[Tap],
    epoch: int,
    *,
    points: int,
    draws: int,
    seed: int,
    pooling: str,
    bn: str,
) -> list[dict[str, Any]]:
    """A row for every layer and kind of examples.

    Args:
        checkpoints: of the run.
        examples: what is shown.
        taps: the layers.
        epoch: of the network.
        points: of a manifold at most.
        draws: of mean-field theory.
        seed: of the draws.
        pooling: of layers with positions.
        bn: batch-norm statistics.
    """
    manifolds = chosen(examples, points)
    network = checkpoints.network(epoch)
    train, test = examples.bank.train.images, examples.bank.test.images
    rows = []
    with probe_statistics(network, train, bn):
        extractor = Extractor(network, pooling)
        names = [tap.name for tap in taps]
        for kind in (kind for kind in KINDS if kind in manifolds):
            ids = manifolds[kind]
            features = extractor.held(names, Shown(test if kind == TEST else train, torch.cat(ids)))
            for tap in taps:
                clouds = [part.double().cpu().numpy() for part in features[tap.name].split([len(own) for own in ids])]
                about = {
                    "epoch": epoch,
                    "step": checkpoints.step(epoch),
                    "layer": tap.name,
                    "depth": tap.depth,
                    "part": tap.part,
                    "examples": kind,
                    "manifolds": len(ids),
                    "points": len(ids[0]),
                    "draws": draws,
                    "pooling": pooling,
                    "bn": bn,
                }
                rows.append({**about, **_measured(clouds, draws, seed)})
    return rows


def _measured(clouds: list[Any], draws: int, seed: int) -> dict[str, float | None]:
    names = ("capacity", "radius", "dimension", "centre_correlation", "capacity_large_dimension")
    try:
        found = manifold_geometry(clouds, draws=draws, seed=seed)
    except ValueError:  # a layer that gives all images the same: no centres to speak of
        return dict.fromkeys(names)
    return {name: value if math.isfinite(value := getattr(found, name)) else None for name in names}
