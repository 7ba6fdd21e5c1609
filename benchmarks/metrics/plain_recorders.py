"""Recorders as one writes them first, and as the older tools work: what `rote.metrics.Recorder` is measured against.

Each takes (ids, logits, labels) of a batch, like `Recorder.update`, and keeps enough for the scores of its kind.
"""

from __future__ import annotations

import json
from collections import defaultdict

import torch
from torch import Tensor
from torch.nn import functional as F


class AumLoop:
    """AUM alone: margins of the batch by tensor operations, then a loop that reads each and adds it to a dict."""

    def __init__(self, n: int) -> None:
        self.sums: dict[int, float] = defaultdict(float)
        self.updates: dict[int, int] = defaultdict(int)

    def update(self, ids: Tensor, logits: Tensor, labels: Tensor) -> None:
        logits = logits.detach()
        own = logits.gather(1, labels[:, None]).squeeze(1)
        others = logits.scatter(1, labels[:, None], float("-inf")).amax(1)
        margins = own - others
        for row, example in enumerate(ids):
            key = example.item()
            self.sums[key] += margins[row].item()
            self.updates[key] += 1


class CartographyLoop:
    """Logits of every example as a line of JSON, from which the data map is made after training."""

    def __init__(self, n: int) -> None:
        self.lines: list[str] = []

    def update(self, ids: Tensor, logits: Tensor, labels: Tensor) -> None:
        rows = zip(ids.tolist(), logits.detach().float().cpu().numpy(), labels.tolist(), strict=True)
        for example, row, label in rows:
            self.lines.append(json.dumps({"guid": example, "logits": row.tolist(), "gold": label}))


class ForgettingLoop:
    """Forgetting events: correctness of the batch as a list, then a loop over examples and their histories."""

    def __init__(self, n: int) -> None:
        self.histories: dict[int, list[int]] = defaultdict(list)

    def update(self, ids: Tensor, logits: Tensor, labels: Tensor) -> None:
        correct = logits.detach().argmax(1) == labels
        losses = F.cross_entropy(logits.detach(), labels, reduction="none")
        for row, example in enumerate(ids.tolist()):
            self.histories[example] += [int(correct[row].item()), losses[row].item()]


class TensorOperations:
    """All that `Recorder` keeps, by tensor operations and without waiting; each example at most once in a batch."""

    def __init__(self, n: int, device: str = "cpu") -> None:
        self.counts = torch.zeros(n, 6, dtype=torch.int32, device=device)
        self.sums = torch.zeros(n, 5, dtype=torch.float64, device=device)
        self.values = torch.zeros(n, 4, device=device)

    def update(self, ids: Tensor, logits: Tensor, labels: Tensor) -> None:
        logits = logits.detach().float()
        log_p = logits.log_softmax(1)
        own = labels[:, None]
        loss = -log_p.gather(1, own).squeeze(1)
        p = log_p.exp()
        p_true = p.gather(1, own).squeeze(1)
        margin = logits.gather(1, own).squeeze(1) - logits.scatter(1, own, float("-inf")).amax(1)
        el2n = p.scatter_add(1, own, torch.full_like(own, -1, dtype=p.dtype)).norm(dim=1)
        correct = (logits.argmax(1) == labels).int()
        before = self.counts[ids]
        shown, hits, forgotten, first, last_wrong, was = before.unbind(1)
        self.counts[ids] = torch.stack(
            (
                shown + 1,
                hits + correct,
                forgotten + was * (1 - correct),
                torch.where((hits == 0) & (correct == 1), shown, first),
                torch.where(correct == 0, shown, last_wrong),
                correct,
            ),
            1,
        )
        sums = self.sums[ids]
        distance = p_true.double() - sums[:, 3]
        mean = sums[:, 3] + distance / (shown + 1)
        squares = sums[:, 4] + distance * (p_true - mean)
        added = sums[:, :3] + torch.stack((loss, margin, el2n), 1).double()
        self.sums[ids] = torch.cat((added, mean[:, None], squares[:, None]), 1)
        self.values[ids] = torch.stack((loss, margin, p_true, el2n), 1)
