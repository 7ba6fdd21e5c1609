"""rote/metrics/probe.py: k-NN probes on true labels, by layer and on raw pixels (arXiv 2210.14019, section 1.5 of the
released code: k = 20, cosine, unweighted votes). Exact search by `rote.neighbors`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rote.metrics.embedding import embed
from rote.metrics.evaluation import BATCH_SIZE, checked_images, checked_labels
from rote.models import EncoderProjector


def knn_probe_correct(
    model: EncoderProjector,
    reference_images: Tensor,
    reference_labels: Tensor,
    query_images: Tensor,
    query_labels: Tensor,
    layers: Sequence[str],
    k: int = 20,
    *,
    recipe: Callable[..., Tensor] | None = None,
    batch_size: int = BATCH_SIZE,
) -> dict[str, Tensor]:
    """Which queries the k-NN vote classifies right, layer by layer; paired differences of probes need them.

    Batch-norm statistics are the network's present ones: put the call inside `recalibrated`.

    Args:
        model: a network with `activations`.
        reference_images: uint8 [N, C, H, W], N >= k.
        reference_labels: int64 [N], true labels.
        query_images: uint8 [Q, C, H, W], images never trained on.
        query_labels: int64 [Q], true labels.
        layers: names out of `model.layers`.
        k: number of neighbours.
        recipe: None for pixels / 255, or a recipe without randomness.
        batch_size: images per forward pass.

    Returns:
        {layer: bool [Q]} on the CPU.

    Raises:
        ValueError: shapes, labels, layers or k that do not fit.
    """
    _check(reference_images, reference_labels, query_images, query_labels, k)
    references = embed(model, reference_images, layers, recipe=recipe, batch_size=batch_size)
    queries = embed(model, query_images, layers, recipe=recipe, batch_size=batch_size)
    return {
        layer: _vote_correct(references[layer], reference_labels, queries[layer], query_labels, k)
        for layer in references
    }


def knn_probe(
    model: EncoderProjector,
    reference_images: Tensor,
    reference_labels: Tensor,
    query_images: Tensor,
    query_labels: Tensor,
    layers: Sequence[str],
    k: int = 20,
    *,
    recipe: Callable[..., Tensor] | None = None,
    batch_size: int = BATCH_SIZE,
) -> dict[str, float]:
    """Probe accuracy by layer, {layer: share of queries classified right}; arguments as `knn_probe_correct`."""
    correct = knn_probe_correct(
        model,
        reference_images,
        reference_labels,
        query_images,
        query_labels,
        layers,
        k,
        recipe=recipe,
        batch_size=batch_size,
    )
    return {layer: _share(values) for layer, values in correct.items()}


def pixel_probe_correct(
    reference_images: Tensor,
    reference_labels: Tensor,
    query_images: Tensor,
    query_labels: Tensor,
    k: int = 20,
    *,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Which queries the same vote on raw pixels classifies right: the line that features must beat.

    Args:
        reference_images: uint8 [N, C, H, W].
        reference_labels: int64 [N].
        query_images: uint8 [Q, C, H, W].
        query_labels: int64 [Q].
        k: number of neighbours.
        device: where to search.

    Returns:
        bool [Q] on the CPU.
    """
    _check(reference_images, reference_labels, query_images, query_labels, k)
    references = reference_images.to(device).flatten(1).float() / 255
    queries = query_images.to(device).flatten(1).float() / 255
    return _vote_correct(references, reference_labels, queries, query_labels, k)


def pixel_probe(
    reference_images: Tensor,
    reference_labels: Tensor,
    query_images: Tensor,
    query_labels: Tensor,
    k: int = 20,
    *,
    device: torch.device | str = "cpu",
) -> float:
    """Probe accuracy of raw pixels; arguments as `pixel_probe_correct`."""
    correct = pixel_probe_correct(reference_images, reference_labels, query_images, query_labels, k, device=device)
    return _share(correct)


def _share(correct: Tensor) -> float:
    return int(correct.sum()) / len(correct)


def _check(
    reference_images: Tensor, reference_labels: Tensor, query_images: Tensor, query_labels: Tensor, k: int
) -> None:
    checked_images(reference_images, "reference_images")
    checked_images(query_images, "query_images")
    checked_labels(reference_labels, len(reference_images), "reference_labels")
    checked_labels(query_labels, len(query_images), "query_labels")
    if not 1 <= k <= len(reference_images):
        raise ValueError(f"k must be between 1 and the number of references, {len(reference_images)}; got {k}")


def _vote_correct(references: Tensor, labels: Tensor, queries: Tensor, query_labels: Tensor, k: int) -> Tensor:
    from rote.neighbors import KNNProbe  # loads scikit-learn

    probe = KNNProbe(n_neighbors=k, metric="cosine").fit(references, labels)
    return probe.predict(queries).cpu() == query_labels.cpu()
