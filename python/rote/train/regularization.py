"""rote/train/regularization.py: dropout and Gaussian noise by address, in front of a network and inside it.

All is drawn by address (`rote.train.current_samples`), so a resumed training drops the same units; a unit is kept where
its normal lies below the quantile of 1 - p. Nothing is drawn in eval mode.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor, nn

from rote.train.current_samples import PLACES, CurrentSamples

# Places of the input; those of hidden layers follow in depth order, two a layer.
_INPUT_NOISE, _INPUT_DROPOUT, _HIDDEN = 1, 2, 3


@dataclass(frozen=True)
class Regularizers:
    """What disturbs a training (arXiv 1706.05394, section 5); 0 switches a part off.

    The paper names neither places nor units. Here hidden layers are disturbed behind their ReLU, first by noise, then
    by dropout; inputs behind the augmentation, in the same order.

    Attributes:
        dropout: probability, in [0, 1), that a hidden unit is 0 at a visit; those kept are scaled by 1 / (1 - p).
        input_dropout: the same of a value of a pixel.
        input_noise: standard deviation of the noise on values in [0, 1], in standard deviations of the training set's
            pixels; not clipped.
        hidden_noise: standard deviation of the noise on hidden units, in their own units.
        placement: "dense", the ReLUs of fully connected layers, or "all", those of convolutions too (unit by unit).

    Raises:
        ValueError: a probability outside [0, 1), a negative or infinite deviation, another placement.
    """

    dropout: float = 0.0
    input_dropout: float = 0.0
    input_noise: float = 0.0
    hidden_noise: float = 0.0
    placement: Literal["dense", "all"] = "dense"

    def __post_init__(self) -> None:
        for name in ("dropout", "input_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1); got {getattr(self, name)}")
        for name in ("input_noise", "hidden_noise"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least 0 and finite; got {getattr(self, name)}")
        if self.placement not in ("dense", "all"):
            raise ValueError(f"placement must be 'dense' or 'all'; got {self.placement!r}")

    @property
    def hidden(self) -> bool:
        """Whether hidden layers are disturbed."""
        return self.dropout > 0 or self.hidden_noise > 0

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self) if field.name != "placement")


def noised(x: Tensor, drawn: Tensor, std: float | Tensor) -> Tensor:
    """x + std z."""
    return (x + std * drawn).to(x.dtype)


def dropped(x: Tensor, drawn: Tensor, p: float) -> Tensor:
    """x / (1 - p) where z lies below the quantile of 1 - p, else 0 (inverted dropout, Srivastava et al. 2014)."""
    limit = math.sqrt(2.0) * float(torch.special.erfinv(torch.tensor(1.0 - 2.0 * p, dtype=torch.float64)))
    return torch.where(drawn < limit, x / (1.0 - p), torch.zeros((), dtype=x.dtype, device=x.device))


class RegularizedReLU(nn.ReLU):
    """A ReLU whose output is disturbed in train mode. It has no weights: names in a state_dict stay what they were.

    Args:
        regularizers: `hidden_noise` and `dropout` are read here.
        current: what the stream shows.
        layer: which of the disturbed layers this is, from 0 on.
    """

    def __init__(self, regularizers: Regularizers, current: CurrentSamples, layer: int) -> None:
        super().__init__()
        self.regularizers = regularizers
        self.current = current
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """[B, ...] -> the same shape."""
        x = torch.relu(x)
        if not self.training:
            return x
        place = _HIDDEN + 2 * self.layer
        if self.regularizers.hidden_noise:
            x = noised(x, self.current.normals(x, place), self.regularizers.hidden_noise)
        if self.regularizers.dropout:
            x = dropped(x, self.current.normals(x, place + 1), self.regularizers.dropout)
        return x

    def extra_repr(self) -> str:
        return f"dropout={self.regularizers.dropout:g}, hidden_noise={self.regularizers.hidden_noise:g}"


def disturbed_pixels(
    x: Tensor, current: CurrentSamples, regularizers: Regularizers, pixel_std: Tensor | None
) -> Tensor:
    """Pixels with the noise and the dropout of the input.

    Args:
        x: float [B, C, H, W].
        current: the samples they are of.
        regularizers: `input_noise` and `input_dropout` are read here.
        pixel_std: float [C], the training set's standard deviations on values in [0, 1]; read with input noise.
    """
    if regularizers.input_noise:
        std = (regularizers.input_noise * pixel_std).to(x).view(1, -1, 1, 1)
        x = noised(x, current.normals(x, _INPUT_NOISE), std)
    if regularizers.input_dropout:
        x = dropped(x, current.normals(x, _INPUT_DROPOUT), regularizers.input_dropout)
    return x


def regularize_layers(
    model: nn.Module, regularizers: Regularizers, current: CurrentSamples, image_shape: tuple[int, int, int]
) -> int:
    """Replaces the ReLUs that are to be disturbed, in place; weights and the names of a state_dict stay.

    Args:
        model: float [B, C, H, W] -> logits, with ReLUs that are modules (`nn.ReLU`), each used once.
        regularizers: what is done there.
        current: what the stream shows.
        image_shape: (C, H, W).

    Returns:
        How many were replaced; 0 where no hidden layer is to be disturbed.

    Raises:
        ValueError: hidden layers are to be disturbed, and the network has no such ReLU, or more than there are places.
    """
    if not regularizers.hidden:
        return 0
    found = [name for name, dims in _relus(model, image_shape).items() if dims == 2 or regularizers.placement == "all"]
    if not found:
        kind = "" if regularizers.placement == "all" else "fully connected "
        raise ValueError(f"model must have nn.ReLU modules behind {kind}hidden layers for dropout or hidden noise")
    if _HIDDEN + 2 * len(found) > PLACES:
        raise ValueError(f"model must have at most {(PLACES - _HIDDEN) // 2} disturbed layers; got {len(found)}")
    for layer, name in enumerate(found):
        parent, _, key = name.rpartition(".")
        setattr(model.get_submodule(parent), key, RegularizedReLU(regularizers, current, layer))
    return len(found)


@torch.no_grad()
def _relus(model: nn.Module, image_shape: tuple[int, int, int]) -> dict[str, int]:
    """The network's ReLUs in the order of use, with the dimensions of their outputs."""
    order: dict[str, int] = {}
    name_of = {module: name for name, module in model.named_modules() if type(module) is nn.ReLU}

    def note(module: nn.Module, _: object, out: Tensor) -> None:
        order.setdefault(name_of[module], out.dim())

    hooks = [module.register_forward_hook(note) for module in name_of]
    modes = [(module, module.training) for module in model.modules()]
    first = next(model.parameters())
    try:
        model.eval()
        model(torch.zeros((2, *image_shape), dtype=first.dtype, device=first.device))
    finally:
        for module, training in modes:
            module.training = training
        for hook in hooks:
            hook.remove()
    return order
