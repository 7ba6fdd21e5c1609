"""Gradient accounting: what the permuted and what the other examples ask of each part of a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rote.experiments.location.answers import Examples
from rote.experiments.location.blocks import Block
from rote.experiments.location.checkpoints import Checkpoints
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.evaluation import clean_pixels, convolutional
from rote.train.losses import Loss

BATCH_SIZE = 128
COLUMNS = ("epoch", "step", "kind", "name", "depth", "norm_unpermuted", "norm_permuted", "cosine", "entries", "bn")


def gradient_rows(
    checkpoints: Checkpoints, examples: Examples, blocks: Sequence[Block], loss: Loss, epoch: int, bn: str
) -> list[dict[str, Any]]:
    """A row for every part of the network of an epoch (arXiv 2307.09542, gradient accounting).

    The loss over the N examples is the sum of two: 1/N times the losses of the permuted ones, and of the others. The
    norm of each one's gradient is divided by the square root of the number of entries of the part. The network is in
    eval mode, where the gradients of examples add up whatever batch they come in.
    """
    network = checkpoints.network(epoch)
    wrong = examples.permuted
    with probe_statistics(network, examples.bank.train.images, bn):
        sides = [
            summed_gradients(network, loss, _batches(network, examples, rows), len(examples.ids))
            for rows in (~wrong, wrong)
        ]
    about = {"epoch": epoch, "step": checkpoints.step(epoch), "bn": bn}
    return [{**about, **accounting(*sides, block)} for block in blocks]


def summed_gradients(
    network: nn.Module, loss: Loss, batches: Iterable[tuple[Tensor, Tensor]], total: int
) -> dict[str, Tensor]:
    """Gradient of 1/total times the summed losses of some examples, in the network's present mode.

    Args:
        network: whose parameters are differentiated; left as it was.
        loss: (logits [B, C], labels int64 [B]) -> the mean over the batch.
        batches: pixels [B, ...] and labels int64 [B].
        total: number of examples of the whole loss.

    Returns:
        {parameter: float64 tensor of its shape, on its device}; zero without examples.
    """
    named = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    sums = {name: torch.zeros_like(parameter, dtype=torch.float64) for name, parameter in named.items()}
    for x, y in batches:
        value = loss(network(x), y) * (len(y) / total)
        found = torch.autograd.grad(value, list(named.values()), allow_unused=True)
        for (name, _), gradient in zip(named.items(), found, strict=True):
            if gradient is not None:
                sums[name] += gradient.detach().double()
    return sums


def accounting(unpermuted: dict[str, Tensor], permuted: dict[str, Tensor], block: Block) -> dict[str, Any]:
    """Norms by the square root of the number of entries, and the cosine, of two gradients in one part.

    The cosine is None where one of them vanishes.
    """
    names = block.entries(unpermuted)
    entries = sum(unpermuted[name].numel() for name in names)
    one, other = (torch.cat([g[name].flatten() for name in names]) for g in (unpermuted, permuted))
    norms = float(one.norm()), float(other.norm())
    product = norms[0] * norms[1]
    return {
        "kind": block.kind,
        "name": block.name,
        "depth": block.depth,
        "norm_unpermuted": norms[0] / math.sqrt(entries),
        "norm_permuted": norms[1] / math.sqrt(entries),
        "cosine": float(one @ other) / product if product > 0 else None,
        "entries": entries,
    }


def _batches(network: nn.Module, examples: Examples, rows: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    device, layout = next(network.parameters()).device, convolutional(network)
    for chosen in rows.nonzero().flatten().split(BATCH_SIZE):
        x = clean_pixels(examples.bank.train.images, examples.ids[chosen], device, channels_last=layout)
        yield x, examples.label_used[chosen].to(device)
