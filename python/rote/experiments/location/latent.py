"""Latent generalization: what the layers of a network that fits wrong labels tell of true ones, along its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rote import KNNProbe
from rote.experiments.examining.examined import Tap
from rote.experiments.location.answers import Examples
from rote.experiments.location.checkpoints import Checkpoints
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.features import Extractor, Shown
from rote.metrics.linear_probe import fit_linear_probe

KNN, LINEAR = "knn", "linear"
TRUE, USED = "true", "used"
METHODS = (KNN, LINEAR)
COLUMNS = (
    *("epoch", "step", "layer", "depth", "part", "method", "labels", "accuracy", "own_accuracy", "permuted"),
    *("n_references", "n_queries", "k", "pooling", "bn", "chance", "converged"),
)


def latent_rows(
    checkpoints: Checkpoints,
    examples: Examples,
    taps: Sequence[Tap],
    epoch: int,
    *,
    methods: Sequence[str],
    k: int,
    c: float,
    pooling: str,
    bn: str,
) -> list[dict[str, Any]]:
    """Probes of every layer, by test images with their true labels, beside the network's own answers.

    The probes know the images trained on and nothing else: with their true labels, or with the very labels that the
    network was given (Ketha and Ramaswamy, arXiv 2603.19865: generalization that the network's output lacks).

    Args:
        checkpoints: of the run.
        examples: references and queries.
        taps: the layers.
        epoch: of the network.
        methods: "knn", "linear".
        k: neighbours that vote.
        c: inverse strength of the linear probe's penalty.
        pooling: of layers with positions.
        bn: batch-norm statistics.
    """
    network = checkpoints.network(epoch)
    train, test = examples.bank.train.images, examples.bank.test.images
    with probe_statistics(network, train, bn):
        own = examples.accuracies(network)
        extractor = Extractor(network, pooling)
        names = [tap.name for tap in taps]
        references = extractor.held(names, Shown(train, examples.ids))
        queries = extractor.held(names, Shown(test, examples.test_ids))
    asked, rows = examples.test_labels, []
    for tap in taps:
        for labels, known in ((TRUE, examples.label_true), (USED, examples.label_used)):
            for method in methods:
                predicted, facts = _probe(
                    method, references[tap.name], known, queries[tap.name], examples.bank.num_classes, k, c
                )
                rows.append(
                    {
                        "epoch": epoch,
                        "step": checkpoints.step(epoch),
                        "layer": tap.name,
                        "depth": tap.depth,
                        "part": tap.part,
                        "method": method,
                        "labels": labels,
                        "accuracy": int((predicted == asked).sum()) / len(asked),
                        "own_accuracy": own["test"],
                        "permuted": own["permuted"],
                        "n_references": len(known),
                        "n_queries": len(asked),
                        "pooling": pooling,
                        "bn": bn,
                        "chance": int(torch.bincount(asked).max()) / len(asked),
                        **facts,
                    }
                )
    return rows


def _probe(
    method: str, references: Tensor, labels: Tensor, queries: Tensor, classes: int, k: int, c: float
) -> tuple[Tensor, dict[str, Any]]:
    if method == KNN:
        probe = KNNProbe(n_neighbors=k, metric="cosine").fit(references, labels)
        return torch.as_tensor(probe.predict(queries)).cpu(), {"k": k}
    fitted = fit_linear_probe(references, labels, classes, c=c)
    return fitted.predict(queries).cpu(), {"converged": fitted.converged}
