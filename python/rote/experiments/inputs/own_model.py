"""A module of the user's own in the place of a named network: `benign(model=my_module, taps=["layer3"])`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from rote.models.pooling import check_pooling, pooled

LOGITS = "logits"


class TappedModel(nn.Module):
    """Gives any classifier named layers, by forward hooks on some of its submodules.

    Args:
        module: float [B, C, H, W] -> logits [B, classes].
        taps: names out of `module.named_modules()`, in depth order; the last one is the encoder's output.

    Raises:
        ValueError: no taps, a repeated one, or one that names no submodule.
    """

    def __init__(self, module: nn.Module, taps: Sequence[str]) -> None:
        super().__init__()
        names = dict(module.named_modules())
        unknown = [tap for tap in taps if tap not in names or not tap]
        if not taps or unknown or len(set(taps)) != len(taps):
            some = ", ".join(sorted(name for name in names if name)[:12])
            raise ValueError(f"taps must name submodules, each once, e.g. {some}; got {list(taps)}")
        self.module = module
        self.layers: tuple[str, ...] = (*taps, LOGITS)
        self.headline_layer = taps[-1]

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> logits [B, classes]."""
        return self.module(x)

    def encode(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> the output of the last tap, pooled, float [B, D]."""
        return self.activations(x, [self.headline_layer])[self.headline_layer]

    def activations(
        self, x: Tensor, layers: Iterable[str] | None = None, *, pooling: str = "average"
    ) -> dict[str, Tensor]:
        """Pooled outputs of the named layers, {layer: float32 [B, D_layer]} in depth order.

        Args:
            x: float [B, C, H, W] in [0, 1].
            layers: names out of `layers`; None means all of them.
            pooling: of outputs [B, D, ...], one of `rote.models.POOLINGS`.

        Raises:
            ValueError: a name is not one of `layers`, or a pooling that is unknown or does not fit an output.
        """
        wanted = self.layers if layers is None else tuple(layers)
        unknown = [name for name in wanted if name not in self.layers]
        if unknown:
            raise ValueError(f"layers must be out of {self.layers}; got {unknown}")
        check_pooling(pooling)
        found: dict[str, Tensor] = {}
        modules = dict(self.module.named_modules())

        def keep(name: str):
            def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
                found[name] = pooled(output.float(), pooling)

            return hook

        hooks = [modules[name].register_forward_hook(keep(name)) for name in wanted if name != LOGITS]
        try:
            logits = self.module(x)
        finally:
            for hook in hooks:
                hook.remove()
        if LOGITS in wanted:
            found[LOGITS] = pooled(logits.float(), pooling)
        return {name: found[name] for name in self.layers if name in wanted}


def module_identity(module: nn.Module) -> str:
    """A hash of a module's kind and its initial parameters and buffers, as its share of a run's identity."""
    digest = hashlib.sha256(repr(module).encode())
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
