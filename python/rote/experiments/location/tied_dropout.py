"""Example-tied dropout: channels that all examples share, and channels that a few examples have to themselves.

Maini et al. 2023 (arXiv 2307.09542, section 5): the first `p_fixed` of the channels are always on, and every other one
is kept for an example by a coin with probability `p_mem`, thrown once for good. What only single examples ask for has a
place to go where it disturbs no other, and is removed with those channels.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from rote import address
from rote.address import Stream
from rote.models import EncoderProjector
from rote.train import TrainingStream

OWN, EXPECTED, DROPPED = "own", "expected", "dropped"


class TiedDropout(nn.Module):
    """Masks the channels of [B, C] or [B, C, H, W].

    In train mode, and in eval mode with `state` "own", every example sees its own channels, by the ids of the batch
    in `ids`. Else in eval mode no example is asked for: "expected" scales the channels that are not shared by p_mem,
    "dropped" removes them and scales the shared ones by (p_fixed + p_mem) / p_fixed.

    Args:
        channels: C.
        image_ids: int64 [N], the images trained on.
        p_fixed: share of shared channels, of which there is at least one.
        p_mem: probability that an example keeps one of the others.
        seed: of the masks.
        place: number of this layer, so that masks of layers are independent.

    Attributes:
        shared: number of shared channels.
        ids: int64 [B], the images of the next batch; None where nobody has told.
        state: "own", "expected" or "dropped".
    """

    def __init__(self, channels: int, image_ids: Tensor, p_fixed: float, p_mem: float, seed: int, place: int) -> None:
        super().__init__()
        self.shared = max(1, round(p_fixed * channels))
        self.p_fixed, self.p_mem = p_fixed, p_mem
        self.ids: Tensor | None = None
        self.state = EXPECTED
        ids = image_ids.cpu()
        kept = torch.ones((len(ids), channels), dtype=torch.bool)
        for channel in range(self.shared, channels):
            kept[:, channel] = address.uniform(seed, ids, place, Stream.TIED_CHANNELS, channel) < p_mem
        row_of = torch.full((int(ids.max()) + 1,), -1, dtype=torch.int64)
        row_of[ids] = torch.arange(len(ids))
        # Made again from the seed: no part of a checkpoint.
        self.register_buffer("kept", kept, persistent=False)
        self.register_buffer("row_of", row_of, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, ...] -> the same shape.

        Raises:
            ValueError: the ids of the batch were not told, or are of another number than the batch.
        """
        if self.training or self.state == OWN:
            mask = self._own(len(x)).to(x.dtype)
        else:
            mask = x.new_ones(1, x.shape[1])
            if self.state == EXPECTED:
                mask[:, self.shared :] = self.p_mem
            else:
                mask[:, self.shared :] = 0.0
                mask[:, : self.shared] = (self.p_fixed + self.p_mem) / self.p_fixed
        return x * mask.reshape(*mask.shape, *[1] * (x.dim() - 2))

    def _own(self, count: int) -> Tensor:
        if self.ids is None or len(self.ids) != count:
            told = None if self.ids is None else len(self.ids)
            raise ValueError(f"ids must name the {count} images of the batch; got {told}")
        return self.kept[self.row_of[self.ids.to(self.row_of.device)]]


class TiedNetwork(nn.Module):
    """A network with example-tied dropout behind every stage of its encoder and before its last matrix.

    Args:
        network: one of `rote.models`, changed in place.
        image_ids: int64 [N], the images trained on.
        p_fixed: share of shared channels.
        p_mem: probability that an example keeps one of the others.
        seed: of the masks.

    Raises:
        TypeError: another network, whose channels nobody knows.
    """

    def __init__(self, network: nn.Module, image_ids: Tensor, p_fixed: float, p_mem: float, seed: int) -> None:
        super().__init__()
        if not isinstance(network, EncoderProjector):
            raise TypeError(f"example-tied dropout needs a network of rote.models; got {type(network).__name__}")
        self.network = network
        self.dropouts: list[TiedDropout] = []
        for name, stage in list(network.encoder.named_children()):
            network.encoder._modules[name] = nn.Sequential(
                stage, self._dropout(_channels(stage), image_ids, p_fixed, p_mem, seed)
            )
        hidden = self._dropout(network.projector_width, image_ids, p_fixed, p_mem, seed)
        network.projector.logits = nn.Sequential(hidden, network.projector.logits)

    def _dropout(self, channels: int, image_ids: Tensor, p_fixed: float, p_mem: float, seed: int) -> TiedDropout:
        made = TiedDropout(channels, image_ids, p_fixed, p_mem, seed, len(self.dropouts))
        self.dropouts.append(made)
        return made

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> logits [B, classes]."""
        return self.network(x)

    def tell(self, ids: Tensor) -> None:
        """Says whose channels the next batch asks for, int64 [B]."""
        for dropout in self.dropouts:
            dropout.ids = ids

    def in_state(self, state: str) -> Self:
        """What eval mode means from now on: "own", "expected" or "dropped". Returns self.

        Raises:
            ValueError: another state.
        """
        if state not in (OWN, EXPECTED, DROPPED):
            raise ValueError(f"state must be {OWN}, {EXPECTED} or {DROPPED}; got {state!r}")
        for dropout in self.dropouts:
            dropout.state = state
        return self


class TellingStream(TrainingStream):
    """A stream that tells a network whose examples each batch holds, before the batch is shown.

    The trainer hands a network pixels alone. Ids are a function of the step, as everything of a stream is, so this is
    the one place where they need to pass: no state to save, the same after a stop. Steps run eagerly.
    """

    listener: TiedNetwork

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The samples of a step; see `TrainingStream.batch`."""
        self.listener.tell(self.addresses(step)[0])
        return super().batch(step)


def _channels(stage: nn.Module) -> int:
    """Channels that a stage gives: those of its last weights over two or more dimensions, or what it says itself."""
    found = [module for module in stage.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    if not found:
        raise TypeError(f"a stage must hold a convolution or a linear layer; got {type(stage).__name__}")
    last = found[-1]
    return last.out_channels if isinstance(last, nn.Conv2d) else last.out_features
