"""rote/models/replicas.py: several networks of one architecture as one network, whose channels hold the replicas.

Replica r of R owns channels r C .. (r + 1) C - 1 of every layer: images [B, R C, H, W], features [B, R D]. A
convolution then is one with R times as many groups, a linear layer one batched product, and a normalization over
channels one over R times as many. What a network itself does between its layers (additions, activations, pooling)
means the same on such tensors and runs as it is. The number of operators does not depend on R.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from rote.models.branches import Branches
from rote.models.replica_layers import ReplicaBatchNorm, ReplicaConv2d, ReplicaGroupNorm, ReplicaLinear
from rote.models.whitening import PerImageWhitening

#: Layers without weights that keep channels apart: they do the same to the channels of all replicas.
CHANNELWISE = (
    nn.Identity,
    nn.GELU,
    nn.SiLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.LeakyReLU,
    nn.ELU,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
)


class NotBatchable(ValueError):
    """These networks cannot run as one; the message says what stands in the way."""


class Replicas(nn.Module):
    """R networks of one architecture as one network with R rows of weights in every parameter.

    Parameters and buffers have the names of a single network's and R times as many entries, replica after replica.

    Args:
        models: R >= 1 networks of the same layers and sizes, whose weights and buffers are copied.

    Raises:
        NotBatchable: the networks differ, or hold a layer that is not known to keep channels apart.

    Example:
        >>> sizes = {"in_channels": 3, "image_size": 16, "num_classes": 10}
        >>> networks = [rote.models.build("mlp", **sizes, seed=s) for s in range(8)]
        >>> Replicas(networks)(torch.rand(64, 8 * 3, 16, 16)).shape
        torch.Size([64, 80])
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        if not models:
            raise ValueError("models must hold at least one network; got none")
        self.replicas = len(models)
        _check_alike(models)
        states = [model.state_dict() for model in models]
        self._shapes = {name: value.shape for name, value in states[0].items()}
        self.network = _converted(copy.deepcopy(models[0]), self.replicas, "")
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                for row, state in zip(self.rows(value), states, strict=True):
                    row.copy_(state[name].reshape(-1))

    def forward(self, x: Tensor) -> Tensor:
        """float [B, R C, H, W] -> class scores, float [B, R K]."""
        return self.network(x)

    def rows(self, tensor: Tensor) -> Tensor:
        """A parameter, a buffer or a tensor laid out like one, seen as [R, numbers of a replica]."""
        return tensor.view(self.replicas, -1)

    def state_of(self, replica: int) -> dict[str, Tensor]:
        """The state_dict of one replica as a network of its own; copies."""
        return {
            name: self.rows(value)[replica].detach().clone().reshape(self._shapes[name])
            for name, value in self.network.state_dict().items()
        }


def check_outputs(models: Sequence[nn.Module], images: Tensor) -> None:
    """Compares the scores of two replicas in one network with those of each alone, in float64 and eval mode.

    Code of a network's own that mixes channels gives itself away by this.

    Args:
        models: as for `Replicas`; the first two are compared.
        images: float [B, C, H, W].

    Raises:
        NotBatchable: the scores differ by more than rounding, or the batched network fails.
    """
    pair = [copy.deepcopy(model).double().eval() for model in models[:2]]
    images = images.to(next(pair[0].parameters()).device, torch.float64)
    # Images that differ from replica to replica in every mean.
    shown = [images * factor for factor in (1.0, 0.5)][: len(pair)]
    with torch.no_grad():
        alone = torch.cat([model(x) for model, x in zip(pair, shown, strict=True)], 1)
        try:
            together = Replicas(pair).eval()(torch.cat(shown, 1))
        except RuntimeError as error:
            raise NotBatchable(f"the network's own code does not run on several replicas: {error}") from error
    if together.shape != alone.shape or not torch.allclose(together, alone, rtol=1e-9, atol=1e-9, equal_nan=True):
        raise NotBatchable("the network's own code mixes channels, and with them the replicas")


def _check_alike(models: Sequence[nn.Module]) -> None:
    shapes = [{name: value.shape for name, value in model.state_dict().items()} for model in models]
    for index, model in enumerate(models):
        if shapes[index] != shapes[0] or str(model) != str(models[0]):
            raise NotBatchable(f"models must be of one architecture; models[{index}] differs from models[0]")
        frozen = [name for name, p in model.named_parameters() if not p.requires_grad]
        if frozen:
            raise NotBatchable(f"all parameters must want a gradient; {frozen[:3]} of models[{index}] do not")


def _converted(module: nn.Module, replicas: int, name: str) -> nn.Module:
    """The module for R replicas: layers replaced, everything that holds layers kept."""
    kind = type(module)
    if kind in _CONVERSIONS:
        return _CONVERSIONS[kind](module, replicas, name)
    if kind in CHANNELWISE:
        return module
    own = [key for key, _ in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))]
    if own or next(module.children(), None) is None:
        raise NotBatchable(f"layer {name or '(the network)'} is a {kind.__name__}, which is not known to be batchable")
    for key, child in module.named_children():
        setattr(module, key, _converted(child, replicas, f"{name}.{key}" if name else key))
    return module


def _linear(module: nn.Linear, replicas: int, name: str) -> nn.Module:
    return ReplicaLinear(replicas, module)


def _conv2d(module: nn.Conv2d, replicas: int, name: str) -> nn.Module:
    if module.padding_mode != "zeros":
        raise NotBatchable(f"layer {name} must pad with zeros; got padding_mode={module.padding_mode!r}")
    return ReplicaConv2d(replicas, module)


def _batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d, replicas: int, name: str) -> nn.Module:
    if module.momentum is None or not module.track_running_stats:
        raise NotBatchable(f"layer {name} must have a momentum and track running statistics")
    return ReplicaBatchNorm(replicas, module)


def _group_norm(module: nn.GroupNorm, replicas: int, name: str) -> nn.Module:
    return ReplicaGroupNorm(replicas, module)


def _flatten(module: nn.Flatten, replicas: int, name: str) -> nn.Module:
    if module.start_dim != 1 or module.end_dim != -1:
        raise NotBatchable(f"layer {name} must flatten everything but the batch")
    return module


def _relu(module: nn.ReLU, replicas: int, name: str) -> nn.Module:
    # In place on a transposed view, autograd would copy the whole tensor to and fro.
    return nn.ReLU()


def _branches(module: Branches, replicas: int, name: str) -> nn.Module:
    module.branches = _converted(module.branches, replicas, f"{name}.branches")
    module.replicas = replicas
    return module


def _whitening(module: PerImageWhitening, replicas: int, name: str) -> nn.Module:
    return PerImageWhitening(replicas)


_CONVERSIONS: dict[type, Callable[..., nn.Module]] = {
    nn.Linear: _linear,
    nn.Conv2d: _conv2d,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.GroupNorm: _group_norm,
    nn.Flatten: _flatten,
    nn.ReLU: _relu,
    Branches: _branches,
    PerImageWhitening: _whitening,
}
