"""rote/train/labels.py: which label an image, a view or a visit carries, as a function of addresses.

Random labels follow arXiv 2210.14019: one uniform draw over all C classes, independent of the image, so that a label
may be right by chance (1 in C). `p` is the share of labels drawn again, not of wrong ones. Labels that are always wrong
("wrong" of `corrupt_labels`) carry information, at p = 1 most of all, and never stand in for random ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rote import address
from rote.address import Stream


def random_labels(image_ids: Tensor, num_classes: int, seed: int) -> Tensor:
    """One uniform random label per image, independent of everything but (seed, image).

    Args:
        image_ids: int64 [N].
        num_classes: C, at least 2.
        seed: the label seed.

    Returns:
        int64 [N] in [0, C), the same for an image in whatever subset it stands.
    """
    return _drawn(image_ids, torch.zeros_like(image_ids), Stream.LABELS, num_classes, seed)


def redraw_labels(
    labels: Tensor, image_ids: Tensor, num_classes: int, seed: int, p: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Gives a share p of the images a random label and leaves the others their own.

    Exactly int(N * (1 - p)) images keep their label (without replacement, as the released code does); the kept sets
    are nested in p. The redrawn label is that of `random_labels`, whatever p is.

    Args:
        labels: true labels int64 [N], aligned with `image_ids`.
        image_ids: int64 [N].
        num_classes: C.
        seed: the label seed.
        p: share redrawn, in [0, 1]; the expected share of wrong labels is p * (1 - 1/C).

    Returns:
        (label_used int64 [N], label_redrawn bool [N]).

    Raises:
        ValueError: p out of [0, 1], or shapes that differ.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p must be in [0, 1]; got {p}")
    if labels.shape != image_ids.shape or labels.dim() != 1:
        raise ValueError(
            f"labels and image_ids must be int64 [N]; got {tuple(labels.shape)} and {tuple(image_ids.shape)}"
        )
    # The +1e-9 keeps int() from losing an image to the rounding of 1 - p: N = 10, p = 0.9 keeps one.
    kept = int(len(labels) * (1.0 - p) + 1e-9)
    score = address.uniform(seed, image_ids, torch.zeros_like(image_ids), Stream.CORRUPTION)
    redrawn = torch.ones_like(labels, dtype=torch.bool)
    redrawn[score.argsort(stable=True)[:kept]] = False
    return torch.where(redrawn, random_labels(image_ids, num_classes, seed), labels), redrawn


#: How `corrupt_labels` chooses and replaces.
LABEL_CORRUPTIONS = ("redraw", "coin", "wrong")
#: Kinds whose labels tell something about the true ones even at p = 1: no stand-in for random labels.
CARRIES_INFORMATION = ("wrong",)


def corrupt_labels(
    labels: Tensor, ids: Tensor, num_classes: int, seed: int, *, p: float, kind: str = "redraw"
) -> tuple[Tensor, Tensor]:
    """Replaces a share p of the labels, in one of three ways.

    "redraw": exactly N - int(N (1 - p)) labels are drawn again uniformly, and may come out right (`redraw_labels`).
    "coin": each label is drawn again with probability p, independently of the others (arXiv 1611.03530); the label an
    image gets does not depend on which others are given. "wrong": as many as with "redraw" get one of the C - 1 other
    labels, so that the number of wrong labels is exact; one of `CARRIES_INFORMATION`. The replaced sets are nested in
    p, and a label that is drawn again is the same under "redraw" and "coin".

    Args:
        labels: true labels int64 [N], aligned with `ids`.
        ids: int64 [N].
        num_classes: C, at least 2.
        seed: the label seed.
        p: share or probability, in [0, 1].
        kind: one of `LABEL_CORRUPTIONS`.

    Returns:
        (label_used int64 [N], label_redrawn bool [N]).

    Raises:
        ValueError: an unknown kind, p out of [0, 1], shapes that differ, or a label out of [0, C).
    """
    if kind not in LABEL_CORRUPTIONS:
        raise ValueError(f"kind must be one of {LABEL_CORRUPTIONS}; got {kind!r}")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise ValueError(
            f"labels must be in [0, {num_classes}); got values from {int(labels.min())} to {int(labels.max())}"
        )
    used, redrawn = redraw_labels(labels, ids, num_classes, seed, p)
    if kind == "coin":
        # The images that `redraw_labels` keeps are those of the lowest score; here they are those below 1 - p.
        redrawn = address.uniform(seed, ids, torch.zeros_like(ids), Stream.CORRUPTION) >= 1.0 - p
        used = torch.where(redrawn, random_labels(ids, num_classes, seed), labels)
    elif kind == "wrong":
        steps = 1 + address.integers(seed, ids, torch.zeros_like(ids), Stream.LABELS, num_classes - 1, slot=1)
        used = torch.where(redrawn, (labels + steps) % num_classes, labels)
    return used, redrawn


def _drawn(images: Tensor, views: Tensor, stream: int, num_classes: int, seed: int) -> Tensor:
    if num_classes < 2:
        raise ValueError(f"num_classes must be at least 2; got {num_classes}")
    return address.integers(seed, images, views, stream, num_classes)


class LabelSource:
    """The label of every training sample, a pure function of (image, view, visit).

    Made by one of `fixed`, `fresh` and `per_view`.
    """

    def __init__(self, kind: str, *, table: Tensor | None = None, seed: int = 0, num_classes: int = 0) -> None:
        self.kind = kind
        self.num_classes = num_classes
        self._table = table
        self._seed = seed

    @classmethod
    def fixed(cls, labels: Tensor, *, num_classes: int, image_ids: Tensor | None = None) -> LabelSource:
        """Every image keeps its label, whatever the view.

        Args:
            labels: int64 [N]. Without `image_ids` it is indexed by the image's id in the bank, labels[id]; with
                them, labels[j] belongs to image_ids[j].
            num_classes: C; every label lies in [0, C).
            image_ids: int64 [N] or None.

        Raises:
            ValueError: a shape, type or label that does not fit.
        """
        if labels.dim() != 1 or labels.dtype != torch.int64 or len(labels) == 0:
            raise ValueError(f"labels must be int64 [N], N > 0; got {labels.dtype} {tuple(labels.shape)}")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= num_classes:
            raise ValueError(f"labels must be in [0, {num_classes}); got values from {low} to {high}")
        table = labels
        if image_ids is not None:
            if image_ids.shape != labels.shape:
                raise ValueError(
                    f"image_ids must be as long as labels, {len(labels)}; got shape {tuple(image_ids.shape)}"
                )
            # -1 marks ids that have no label; `check` refuses them before training starts.
            table = torch.full((int(image_ids.max()) + 1,), -1, dtype=torch.int64, device=labels.device)
            table[image_ids] = labels
        return cls("fixed", table=table, num_classes=num_classes)

    @classmethod
    def fresh(cls, seed: int, num_classes: int) -> LabelSource:
        """A new uniform label at every visit: the control that tells augmentation from mere updates."""
        return cls("fresh", seed=seed, num_classes=num_classes)

    @classmethod
    def per_view(cls, seed: int, num_classes: int) -> LabelSource:
        """Every (image, view) has its own uniform label for good: N x B unrelated points in a pool of B views."""
        return cls("per_view", seed=seed, num_classes=num_classes)

    def check(self, image_ids: Tensor) -> None:
        """Raises ValueError when an image of `image_ids` has no label."""
        if self._table is None:
            return
        ids = image_ids.to(self._table.device)
        if int(ids.max()) >= len(self._table) or bool((self._table[ids] < 0).any()):
            raise ValueError(
                f"labels must cover every image trained on; got a table of {len(self._table)} entries "
                f"for image ids up to {int(ids.max())}"
            )

    def labels(self, image_ids: Tensor, views: Tensor, visits: Tensor) -> Tensor:
        """Labels of samples.

        Args:
            image_ids: int64 [B], ids in the bank.
            views: int64 [B], the view shown.
            visits: int64 [B], how many times the image came before (the epoch).

        Returns:
            int64 [B] on the device of `image_ids`.
        """
        if self._table is not None:
            return self._table.to(image_ids.device)[image_ids]
        if self.kind == "fresh":
            return _drawn(image_ids, visits, Stream.FRESH_LABELS, self.num_classes, self._seed)
        return _drawn(image_ids, views, Stream.VIEW_LABELS, self.num_classes, self._seed)
