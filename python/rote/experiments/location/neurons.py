"""Minimum neurons to flip: how many channels have to go until a network gives another answer to one example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rote import address
from rote.address import Stream
from rote.experiments.location.answers import PERMUTED, UNPERMUTED, Examples, predictions
from rote.metrics.evaluation import clean_pixels, convolutional
from rote.train.losses import Loss

COLUMNS = (
    *("id", "kind", "label_used", "label_true", "neurons", "flipped", "answer", "unpermuted", "permuted"),
    *("unpermuted_before", "permuted_before", "noise", "draws", "batch_size", "bn"),
)
ZEROED_COLUMNS = ("id", "kind", "order", "layer", "channel", "score")
# Slots of the SEARCH stream: who is asked about, who stands beside them, and the noise.
_TARGETS, _BESIDE, _NOISE = 0, 1, 2


@dataclass(frozen=True)
class Search:
    """How neurons are searched.

    Attributes:
        most: neurons zeroed at most.
        batch_size: examples in the loss, the target among them.
        noise: norm of the noise on an input, as a share of the input's norm; 0 is none.
        draws: gradients that are averaged; 1 without noise.
        seed: of batches and noise.
    """

    most: int
    batch_size: int
    noise: float
    draws: int
    seed: int


@dataclass(frozen=True)
class Zeroed:
    """A neuron that was zeroed: an output channel of a layer, and its score."""

    layer: str
    channel: int
    score: float


def targets(examples: Examples, correct: Tensor, count: int, seed: int) -> list[int]:
    """Rows of examples that the network fits, in equal number permuted and not, in an addressed order.

    Args:
        examples: those trained on.
        correct: bool [N], whether the network gives each its label.
        count: of each kind; fewer where a kind has fewer, and then of both.
        seed: of the order.
    """
    drawn = address.words(seed, examples.ids, 0, Stream.SEARCH, _TARGETS).argsort(stable=True)
    wrong = examples.permuted
    chosen = [[int(row) for row in drawn if correct[row] and wrong[row] == kind][:count] for kind in (True, False)]
    each = min(map(len, chosen))
    return [row for rows in chosen for row in rows[:each]]


def neurons_of(network: nn.Module) -> dict[str, nn.Parameter]:
    """{layer: weight [out, in, ...]} of the layers whose output channels count as neurons.

    Those of convolutions and linear layers, but for the last one: its outputs are the answers themselves.
    """
    layers = {
        name: module.weight for name, module in network.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))
    }
    layers.pop(list(layers)[-1])
    return layers


def flip(
    network: nn.Module, loss: Loss, x: Tensor, y: Tensor, search: Search, target: int
) -> tuple[list[Zeroed], bool, int]:
    """Zeroes neurons, one after another, until the network answers the first example of a batch otherwise.

    At every turn the neuron goes whose removal, to first order, raises the first example's loss most and the mean loss
    of all least: the objective is the mean loss of the batch with the first one's loss multiplied by minus the batch
    size, and the score of an output channel the sum of weight x gradient over its weights (arXiv 2307.09542; there, as
    here, the weights of the channel become 0).

    Args:
        network: in eval mode; its weights are changed in place.
        loss: (logits [B, C], labels int64 [B]) -> the mean over the batch.
        x: float [B, C, H, W], the target first.
        y: int64 [B].
        search: how.
        target: number of the target, which with the seed is the address of the noise.

    Returns:
        (the neurons in order, whether the answer changed, the last answer).
    """
    weights = neurons_of(network)
    biases = {name: getattr(network.get_submodule(name), "bias", None) for name in weights}
    gone: dict[str, Tensor] = {name: torch.zeros(len(w), dtype=torch.bool) for name, w in weights.items()}
    with torch.no_grad():
        first = answer = int(network(x[:1]).argmax(1))
    zeroed: list[Zeroed] = []
    while answer == first and len(zeroed) < min(search.most, sum(map(len, gone.values()))):
        scores = channel_scores(network, loss, x, y, weights, search, (target, len(zeroed)))
        best = None
        for name, own in scores.items():
            left = own.masked_fill(gone[name], float("-inf"))
            channel = int(left.argmax())
            if best is None or float(left[channel]) > best.score:
                best = Zeroed(name, channel, float(left[channel]))
        gone[best.layer][best.channel] = True
        with torch.no_grad():
            weights[best.layer][best.channel] = 0.0
            if biases[best.layer] is not None:
                biases[best.layer][best.channel] = 0.0
            answer = int(network(x[:1]).argmax(1))
        zeroed.append(best)
    return zeroed, answer != first, answer


def channel_scores(
    network: nn.Module,
    loss: Loss,
    x: Tensor,
    y: Tensor,
    weights: dict[str, nn.Parameter],
    search: Search,
    place: tuple[int, int],
) -> dict[str, Tensor]:
    """{layer: float64 [out] on the CPU}: the sum of weight x gradient over each output channel, averaged over draws.

    Args:
        network: in eval mode.
        loss: the mean over a batch.
        x: float [B, C, H, W], the target first.
        y: int64 [B].
        weights: {layer: weight}.
        search: how.
        place: target and turn, the address of the noise.
    """
    draws = search.draws if search.noise > 0 else 1
    sums = {name: torch.zeros(len(weight), dtype=torch.float64) for name, weight in weights.items()}
    for draw in range(draws):
        shown = x if search.noise == 0 else noisy(x, search.noise, search.seed, place, draw)
        logits = network(shown)
        size = len(y)
        # loss() is a mean: its parts weigh with their numbers. Of the target that is 1 / B x -B = -1.
        objective = -loss(logits[:1], y[:1])
        if size > 1:
            objective = objective + loss(logits[1:], y[1:]) * ((size - 1) / size)
        found = torch.autograd.grad(objective, list(weights.values()))
        for (name, weight), gradient in zip(weights.items(), found, strict=True):
            product = (weight.detach() * gradient).flatten(1).double().sum(1).cpu()
            sums[name] += product / draws
    return sums


def noisy(x: Tensor, share: float, seed: int, place: tuple[int, int], draw: int) -> Tensor:
    """Inputs with Gaussian noise of the given share of their own norm; a function of (seed, place, draw)."""
    target, turn = place
    key = int(address.words(seed, target, turn, Stream.SEARCH, _NOISE + draw))
    drawn = torch.randn(x.shape, generator=torch.Generator().manual_seed(key), dtype=torch.float64)
    flat, own = drawn.flatten(1), x.detach().double().cpu().flatten(1).norm(dim=1, keepdim=True)
    scaled = flat / flat.norm(dim=1, keepdim=True) * own * share
    return x + scaled.reshape(x.shape).to(x)


def neuron_rows(
    network: nn.Module, loss: Loss, examples: Examples, row: int, search: Search, bn: str
) -> list[dict[str, Any]]:
    """The search for one example, and what is left of the others afterwards.

    Args:
        network: the final one, in eval mode with the statistics that are meant; its weights come back.
        loss: the run's.
        examples: those trained on.
        row: of the target among them.
        search: how.
        bn: what the statistics are, for the table.

    Returns:
        A row with the count; its `zeroed` holds the neurons in order.
    """
    device = next(network.parameters()).device
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    wrong = examples.permuted
    before = examples.of_predictions(predictions(network, examples.bank.train.images, examples.ids))
    beside = address.words(search.seed, examples.ids, row, Stream.SEARCH, _BESIDE).argsort(stable=True)
    rows = torch.cat([torch.tensor([row]), beside[beside != row][: search.batch_size - 1]])
    x = clean_pixels(examples.bank.train.images, examples.ids[rows], device, channels_last=convolutional(network))
    zeroed, flipped, answer = flip(
        network, loss, x, examples.label_used[rows].to(device), search, int(examples.ids[row])
    )
    after = examples.of_predictions(predictions(network, examples.bank.train.images, examples.ids))
    network.load_state_dict(kept)
    return [
        {
            "id": int(examples.ids[row]),
            "kind": PERMUTED if wrong[row] else UNPERMUTED,
            "label_used": int(examples.label_used[row]),
            "label_true": int(examples.label_true[row]),
            "neurons": len(zeroed),
            "flipped": flipped,
            "answer": answer,
            UNPERMUTED: after[UNPERMUTED],
            PERMUTED: after[PERMUTED],
            "unpermuted_before": before[UNPERMUTED],
            "permuted_before": before[PERMUTED],
            "noise": search.noise,
            "draws": search.draws if search.noise > 0 else 1,
            "batch_size": len(rows),
            "bn": bn,
            "zeroed": [{"layer": n.layer, "channel": n.channel, "score": n.score} for n in zeroed],
        }
    ]


def zeroed_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The neurons of several searches, a row each."""
    return [
        {"id": row["id"], "kind": row["kind"], "order": order, **neuron}
        for row in rows
        for order, neuron in enumerate(row["zeroed"])
    ]
