"""SimCLR's chain on CIFAR's sizes, with and without blur, in batches of 512 to 65,536, beside everybody.

Run `python -m pytest benchmarks/augment --benchmark-json=FILE`, then `python -m benchmarks.table FILE`. Memory is cold:
a bank of 150 MB, outputs that no cache holds.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchmarks.augment.chain import CROPS, SIMCLR, SIMCLR_BLUR
from benchmarks.augment.conftest import batch_of, graph_replay, views_forever
from benchmarks.augment.native_call import forced, levels
from benchmarks.augment.peers import contenders

CHAINS = {
    "resized crop + flip + normalize": CROPS,
    "SimCLR-CIFAR without blur": SIMCLR,
    "SimCLR-CIFAR with blur": SIMCLR_BLUR,
}


@pytest.mark.parametrize("name", CHAINS)
def test_beside_everybody(race, cifar_sized, quick, name):
    """Batches of 4,096, so that the outputs of the peers, too, lie beyond the caches."""
    chain, ids = CHAINS[name], batch_of(cifar_sized, 32 if quick else 4096)
    ours = views_forever(chain, cifar_sized, ids)
    race(ours, contenders(chain, cifar_sized, ids), work=len(ids), unit="images/s")


@pytest.mark.parametrize("batch", [512, 4096, 65536])
@pytest.mark.parametrize("name", CHAINS)
def test_batch_size(race, cifar_sized, quick, device, name, batch):
    """Where a batch of a peer takes long: only the fast ones at 65,536 images on a CPU, whose others take minutes."""
    chain, ids = CHAINS[name], batch_of(cifar_sized, 64 if quick else batch)
    names = ["torch", "DALI CPU"]
    if batch <= 4096 or device == "cuda":
        names.append("kornia")
    if device == "cuda":
        chain = replace(chain, dtype=torch.bfloat16)
        names.append("torchvision, one draw a batch")
    race(
        views_forever(chain, cifar_sized, ids),
        contenders(chain, cifar_sized, ids, *names),
        also={"kernels alone": graph_replay(chain, cifar_sized, ids)} if device == "cuda" else {},
        peaks={("copy", "auto"): len(ids) * chain.view_bytes(cifar_sized)},
        work=len(ids),
        unit="images/s",
        case=f"{name}, batch {batch:,}",
    )


@pytest.mark.parametrize("name", CHAINS)
def test_levels(race, cifar_sized, quick, device, name):
    """The best instruction set beside the lower ones and the scalar oracle."""
    if device != "cpu":
        pytest.skip("instruction sets are the CPU's")
    chain, ids = CHAINS[name], batch_of(cifar_sized, 32 if quick else 4096)
    race(
        views_forever(chain, cifar_sized, ids),
        {f"Rote, {level}": views_forever(chain, cifar_sized, ids, forced(level)) for level in levels()},
        work=len(ids),
        unit="images/s",
        case=f"{name}: instruction sets",
    )
