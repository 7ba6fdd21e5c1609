"""SimCLR's chain on CIFAR's sizes, with and without blur, in batches of 512 to 65,536, beside everybody.

Run `python -m pytest benchmarks/augment --benchmark-json=FILE`, then `python -m benchmarks.table FILE`. Memory is cold:
a bank of 150 MB, outputs that no cache holds.
"""

from __future__ import annotations

import pytest

from benchmarks.augment.chain import CROPS, SIMCLR, SIMCLR_BLUR
from benchmarks.augment.conftest import batch_of, views_forever
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
def test_batch_size(race, cifar_sized, quick, device, batch):
    """The chain without blur; the slow peers do not finish 65,536 images in a minute on a CPU."""
    ids = batch_of(cifar_sized, 64 if quick else batch)
    names = ["torch", "DALI CPU"] if batch > 4096 and device == "cpu" else ["torch", "DALI CPU", "kornia"]
    race(
        views_forever(SIMCLR, cifar_sized, ids),
        contenders(SIMCLR, cifar_sized, ids, *names, *(["triton-augment"] if device == "cuda" else [])),
        work=len(ids),
        unit="images/s",
        case=f"SimCLR-CIFAR without blur, batch {batch:,}",
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
