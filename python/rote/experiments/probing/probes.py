"""The k-NN probes of a run: which test images each layer answers rightly, from which reference images."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rote import KNNProbe
from rote.data import ImageBank
from rote.data.order import balanced_order
from rote.metrics import embed, pixel_probe_correct, recalibrated

PIXELS = "pixels"
# Search costs queries x references x width. Asked of all 10,000 test images of CIFAR-10, a projector of 1,024 units
# costs more than everything else that an evaluation does.
FEW_QUERIES = 1000
# Of 512 at a time: half the speed, for what a batch leaves behind no longer fits a CPU's cache.
_BATCH_SIZE = 256


@dataclass(frozen=True)
class ProbeResult:
    """One probe.

    Attributes:
        layer: a layer of the network, or "pixels".
        references: "all" (the whole training split), "seen" (images trained on) or "unseen".
        correct: bool [Q], which of the queries asked were answered rightly.
        n_references: number of reference images.
    """

    layer: str
    references: str
    correct: Tensor
    n_references: int

    @property
    def accuracy(self) -> float:
        """Share of the queries answered rightly."""
        return int(self.correct.sum()) / len(self.correct)


def probe_statistics(model: nn.Module, images: Tensor, bn: str) -> AbstractContextManager[object]:
    """The batch-norm statistics that clean images are measured with: recomputed on them, or the running ones.

    Args:
        model: the network.
        images: uint8 [M, C, H, W], the training split.
        bn: "recalibrated" or "running".
    """
    return recalibrated(model, images) if bn == "recalibrated" else nullcontext()


# Which test images raw pixels answer rightly, bool [Q], by the data's fingerprint and k: a search that takes as long as
# an eighth of a small run, and is the same for all of them.
_pixel_answers: dict[tuple[str, int], Tensor] = {}


class ProbeSuite:
    """Probes of one data set: references are training images with true labels, queries the test images.

    The headline references are the whole training split, also where fewer images were trained on. Beside them stand
    `seen` and `unseen` references, equally many of each, since what was trained on may lie closer to itself.

    Args:
        bank: the data set.
        order: int64 [M], an order of all training images; the first `num_seen` were trained on.
        num_seen: N.
        k: neighbours that vote.
        bn: "recalibrated" (batch-norm statistics of clean images) or "running".
    """

    def __init__(self, bank: ImageBank, order: Tensor, num_seen: int, *, k: int, bn: str) -> None:
        self.bank = bank
        self.k = k
        self.bn = bn
        each = min(num_seen, len(order) - num_seen)
        # Below k images a vote of k neighbours means nothing, and there is nothing unseen in a whole split.
        self.halves = {"seen": order[:each], "unseen": order[num_seen : num_seen + each]} if each >= k else {}
        self.every = torch.arange(len(bank.test))
        self.few = balanced_order(bank.test.labels.cpu(), bank.num_classes, seed=0)[:FEW_QUERIES]

    def pixels(self, device: torch.device | str = "cpu") -> ProbeResult:
        """The probe on raw pixels, which no network has touched; searched once for all runs of a process.

        Args:
            device: where to search; the answers are the same everywhere.
        """
        train = self.bank.train
        key = (self.bank.fingerprint(), self.k)
        if key not in _pixel_answers:
            test = self.bank.test
            asked = (test.images, test.labels)
            _pixel_answers[key] = pixel_probe_correct(train.images, train.labels, *asked, self.k, device=device)
        return ProbeResult(PIXELS, "all", _pixel_answers[key], len(train))

    def measure(self, model: nn.Module, layers: Sequence[str], headline: str) -> list[ProbeResult]:
        """Probes layers of a network, the headline one against all three reference sets.

        Batch-norm statistics are the network's present ones: put the call inside `probe_statistics`.

        Args:
            model: a network with `activations`.
            layers: the layers, `headline` among them. Those wider than it are asked about at most 1,000 class-balanced
                queries.
            headline: the layer that `probe_accuracy` speaks of.
        """
        train, test = self.bank.train, self.bank.test
        references = embed(model, train.images, layers, batch_size=_BATCH_SIZE)
        queries = embed(model, test.images, layers, batch_size=_BATCH_SIZE)
        results = []
        for layer in layers:
            wide = queries[layer].shape[1] > queries[headline].shape[1]
            asked = self.few if wide else self.every
            results.append(self._vote(layer, "all", references[layer], train.labels, queries[layer], asked))
        for name, ids in self.halves.items():
            chosen = references[headline][ids.to(references[headline].device)]
            results.append(self._vote(headline, name, chosen, train.labels[ids], queries[headline], self.every))
        return results

    def conventions(self) -> dict[str, Any]:
        """What is stored with every probe, beside its references."""
        return {
            "k": self.k,
            "distance": "cosine",
            "weights": "uniform",
            "pooling": "average",
            "bn": self.bn,
        }

    def _vote(
        self, layer: str, name: str, references: Tensor, labels: Tensor, queries: Tensor, asked: Tensor
    ) -> ProbeResult:
        probe = KNNProbe(n_neighbors=self.k, metric="cosine").fit(references, labels)
        predicted = torch.as_tensor(probe.predict(queries[asked.to(queries.device)])).cpu()
        correct = predicted == self.bank.test.labels.cpu()[asked]
        return ProbeResult(layer, name, correct, len(labels))
