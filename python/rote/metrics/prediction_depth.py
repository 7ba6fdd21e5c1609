"""rote/metrics/prediction_depth.py: the depth from which k-NN probes agree with the network's own answer.

Baldock, Maennel and Neyshabur 2021, "Deep learning through the lens of example difficulty" (arXiv 2106.09647).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rote.metrics.evaluation import BATCH_SIZE, checked_images, checked_labels
from rote.metrics.features import PIXELS, Extractor, Shown
from rote.neighbors import knn_vote

SOFTMAX = "softmax"
#: What is done to the embeddings of a layer before distances are taken.
NORMALIZATIONS = ("none", "unit", "standardize")


class PredictionDepth(NamedTuple):
    """The depth of every query.

    Attributes:
        depth: int64 [Q] in [0, L]: probes at this tap and at every later one give the network's class, the one before
            does not. 0 where all agree, L where the last probe does not (then `settled` is False).
        settled: bool [Q], whether the last probe agrees.
        predicted: int64 [Q], the class the network gives.
        probed: int64 [L, Q], the class that the probe of each tap gives.
        taps: names of the L taps in depth order: "pixels", the layers, "softmax".
    """

    depth: Tensor
    settled: Tensor
    predicted: Tensor
    probed: Tensor
    taps: tuple[str, ...]


def depth_of(probed: Tensor, predicted: Tensor) -> Tensor:
    """Prediction depth from answers: L minus the number of last taps that agree without a gap.

    Args:
        probed: int64 [L, Q], the class each tap's probe gives.
        predicted: int64 [Q], the network's class.

    Returns:
        int64 [Q] in [0, L].

    Raises:
        ValueError: shapes that do not fit.
    """
    if probed.dim() != 2 or predicted.shape != probed.shape[1:]:
        raise ValueError(
            f"probed must be int64 [L, Q] and predicted int64 [Q]; got {tuple(probed.shape)}, {tuple(predicted.shape)}"
        )
    agrees = (probed == predicted).flip(0).long()
    return len(probed) - agrees.cumprod(0).sum(0)


def prediction_depth(
    model: nn.Module,
    references: Tensor,
    reference_labels: Tensor,
    queries: Tensor | None = None,
    *,
    k: int = 30,
    metric: str = "l2",
    normalization: str = "none",
    exclude_self: bool = True,
    layers: Sequence[str] | None = None,
    pooling: str = "flatten",
    num_classes: int | None = None,
    batch_size: int = BATCH_SIZE,
) -> PredictionDepth:
    """Prediction depth of images, by exact k-NN probes after the input, after every layer and after the softmax.

    The paper's convention is the default: k = 30, Euclidean distance on flattened activations. What it leaves open is
    an argument: which labels the references carry (true or those trained on), and whether a training image is its own
    neighbour. The probes vote with equal weights, ties to the smaller class. Batch-norm statistics are the network's
    present ones: put the call inside `recalibrated`.

    Args:
        model: a network with `layers` and `activations`, in eval mode during the call.
        references: uint8 [N, C, H, W], the images that vote.
        reference_labels: int64 [N], what they vote for.
        queries: uint8 [Q, C, H, W]; None: the references themselves.
        k: number of neighbours.
        metric: "l2", "sqeuclidean", "cosine" or "ip".
        normalization: "none", "unit" (every embedding divided by its length) or "standardize" (by the references' mean
            and deviation of each feature).
        exclude_self: whether an image that is queried is left out of its own neighbours; of no meaning with `queries`.
        layers: taps out of `model.layers`; None is all of them. Logits are replaced by the softmax of them, as in the
            paper; "pixels" and "softmax" are always tapped.
        pooling: of layers with positions: "flatten" (the paper's), "average", "max" or "grid2".
        num_classes: number of classes; None is what the network gives scores for.
        batch_size: images per forward pass.

    Raises:
        ValueError: shapes, labels, layers, k or names that do not fit.
    """
    checked_images(references, "references")
    checked_labels(reference_labels, len(references), "reference_labels")
    if normalization not in NORMALIZATIONS:
        raise ValueError(f"normalization must be one of {', '.join(NORMALIZATIONS)}; got {normalization!r}")
    alone = queries is None
    if not 1 <= k <= len(references) - (alone and exclude_self):
        raise ValueError(f"k must be between 1 and the number of references that can be neighbours; got {k}")
    taps = _taps(model, layers)
    extract = Extractor(model, pooling, batch_size=batch_size)
    bank = _shown(references)
    asked = bank if queries is None else _shown(checked_images(queries, "queries"))
    scores = extract.held(["logits"], asked)["logits"]
    classes = scores.shape[1] if num_classes is None else num_classes
    probed = []
    for tap in taps:  # one layer at a time: flat activations of all of them seldom fit
        votes = knn_vote(
            *_normalized(_embeddings(extract, tap, asked), _embeddings(extract, tap, bank), normalization),
            reference_labels,
            k,
            metric,
            num_classes=classes,
            exclude="self" if alone and exclude_self else None,
        )
        probed.append(votes.argmax(1).cpu())
    predicted, answers = scores.argmax(1).cpu(), torch.stack(probed)
    return PredictionDepth(depth_of(answers, predicted), answers[-1] == predicted, predicted, answers, taps)


def _taps(model: nn.Module, layers: Sequence[str] | None) -> tuple[str, ...]:
    wanted = list(model.layers) if layers is None else list(layers)
    unknown = [name for name in wanted if name not in (*model.layers, PIXELS, SOFTMAX)]
    if unknown:
        raise ValueError(f"layers must be out of {tuple(model.layers)}; got {unknown}")
    inside = [name for name in model.layers if name in wanted and name != "logits"]
    return (PIXELS, *inside, SOFTMAX)


def _shown(images: Tensor) -> Shown:
    return Shown(images, torch.arange(len(images)))


def _embeddings(extract: Extractor, tap: str, shown: Shown) -> Tensor:
    if tap == SOFTMAX:
        return extract.held(["logits"], shown)["logits"].double().softmax(1)
    return extract.held([tap], shown)[tap]


def _normalized(queries: Tensor, references: Tensor, how: str) -> tuple[Tensor, Tensor]:
    if how == "unit":
        return tuple(torch.nn.functional.normalize(rows.double(), dim=1) for rows in (queries, references))
    if how == "standardize":
        rows = references.double()
        scale, mean = rows.std(0, correction=0), rows.mean(0)
        scale = torch.where(scale > 0, scale, 1.0)
        return (queries.double() - mean) / scale, (rows - mean) / scale
    return queries, references
