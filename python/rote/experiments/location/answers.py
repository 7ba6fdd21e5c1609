"""What a network answers on the examples it was trained on, by kind, and on test images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rote.data import ImageBank
from rote.data.order import balanced_order
from rote.metrics.evaluation import BATCH_SIZE, clean_pixels, convolutional, evaluating

UNPERMUTED, PERMUTED, RESTORED, TEST = "unpermuted", "permuted", "restored", "test"
KINDS = (UNPERMUTED, PERMUTED, RESTORED, TEST)


@dataclass(frozen=True)
class Examples:
    """The examples of a run, in the words of arXiv 2105.14602.

    An example is permuted when its label is wrong. A redrawn label that is right by chance is as good as the true one,
    so its example is unpermuted, at a share of 1 as well. Restored are the permuted images with their true labels.

    Attributes:
        bank: the data.
        ids: int64 [N], the images trained on.
        label_used: int64 [N].
        label_true: int64 [N].
        test_ids: int64 [Q], class-balanced test images.
    """

    bank: ImageBank
    ids: Tensor
    label_used: Tensor
    label_true: Tensor
    test_ids: Tensor

    @classmethod
    def of(cls, bank: ImageBank, ids: Tensor, label_used: Tensor, label_true: Tensor, test_images: int) -> Examples:
        """With the first `test_images` of a class-balanced order of the test images, the same one for every run."""
        order = balanced_order(bank.test.labels.cpu(), bank.num_classes, seed=0)
        return cls(bank, ids.cpu(), label_used.cpu(), label_true.cpu(), order[:test_images])

    @property
    def permuted(self) -> Tensor:
        """bool [N]."""
        return self.label_used != self.label_true

    @property
    def test_labels(self) -> Tensor:
        """int64 [Q]."""
        return self.bank.test.labels.cpu()[self.test_ids]

    def counts(self) -> dict[str, int]:
        """{kind: number of examples}."""
        wrong = int(self.permuted.sum())
        return {UNPERMUTED: len(self.ids) - wrong, PERMUTED: wrong, RESTORED: wrong, TEST: len(self.test_ids)}

    def accuracies(self, network: nn.Module, before: Callable[[Tensor], None] | None = None) -> dict[str, float | None]:
        """{kind: accuracy} in eval mode on un-augmented images; None where there is no example of a kind.

        Args:
            network: with the batch-norm statistics that are meant.
            before: called with the ids of every batch of training images; with it the test images are left out.
        """
        trained = predictions(network, self.bank.train.images, self.ids, before)
        found = self.of_predictions(trained)
        if before is None:
            asked = predictions(network, self.bank.test.images, self.test_ids)
            found[TEST] = share(asked == self.test_labels)
        return found

    def of_predictions(self, predicted: Tensor) -> dict[str, float | None]:
        """{kind: accuracy} of predictions int64 [N] on the images trained on; None of test images."""
        wrong = self.permuted
        return {
            UNPERMUTED: share((predicted == self.label_used)[~wrong]),
            PERMUTED: share((predicted == self.label_used)[wrong]),
            RESTORED: share((predicted == self.label_true)[wrong]),
            TEST: None,
        }


def predictions(
    network: nn.Module, images: Tensor, ids: Tensor, before: Callable[[Tensor], None] | None = None
) -> Tensor:
    """int64 [N] on the CPU: the answers in eval mode on un-augmented images uint8 [M, C, H, W] of the given ids."""
    layout = convolutional(network)
    found = []
    with evaluating(network) as device:
        for chunk in ids.split(BATCH_SIZE):
            if before is not None:
                before(chunk)
            found.append(network(clean_pixels(images, chunk, device, channels_last=layout)).argmax(1).cpu())
    return torch.cat(found)


def share(correct: Tensor) -> float | None:
    """The share of true entries of a bool tensor, None of an empty one."""
    return int(correct.sum()) / len(correct) if len(correct) else None
