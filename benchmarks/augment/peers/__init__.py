"""The same chains by other libraries: batches drawn anew at each call, from the same uint8 bank.

Each module has `render_*(chain, bank, ids)`, which returns a callable without arguments that renders one batch, or None
where the library is not installed or cannot do the chain. Each is set to mean what our recipe means as far as it can;
where it cannot, its docstring says so. FFCV is absent: it compiles against OpenCV and libjpeg-turbo of the system,
which a package registry does not bring.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.augment.chain import Chain
from benchmarks.augment.peers.airbench_loader import render_airbench
from benchmarks.augment.peers.albumentations_images import render_albumentations
from benchmarks.augment.peers.dali_pipeline import render_dali
from benchmarks.augment.peers.kornia_batches import render_kornia, render_kornia_compiled
from benchmarks.augment.peers.torch_batches import render_torch
from benchmarks.augment.peers.torchvision_images import render_torchvision, render_torchvision_one_draw
from benchmarks.augment.peers.triton_batches import render_triton_augment

Render = Callable[[], object]

PEERS: dict[str, Callable[[Chain, torch.Tensor, torch.Tensor], Render | None]] = {
    "torch": render_torch,
    "DALI CPU": render_dali,
    "kornia": render_kornia,
    "kornia compiled": render_kornia_compiled,
    "torchvision, per image": render_torchvision,
    "torchvision, one draw a batch": render_torchvision_one_draw,
    "albumentations": render_albumentations,
    "airbench's loader": render_airbench,
    "triton-augment": render_triton_augment,
}


def contenders(chain: Chain, bank: torch.Tensor, ids: torch.Tensor, *names: str) -> dict[str, Render]:
    """The peers (of `names`, all by default) that can do the chain here, each ready to render."""
    made = {name: PEERS[name](chain, bank, ids) for name in names or PEERS}
    return {name: render for name, render in made.items() if render is not None}
