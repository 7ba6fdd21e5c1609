"""Flip + padded crop + normalize to bfloat16: work that moves bytes, as a share of the measured copy bandwidth.

A view reads its image once (3,072 bytes) and writes 6,144; the share is bytes read and written per second over those of
a plain copy of 256 MB by the same number of threads.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.augment.chain import FLIP_CROP
from benchmarks.augment.conftest import batch_of, graph_replay, views_forever
from benchmarks.augment.peers import contenders

CHAINS = {
    "flip + padded crop + normalize, bfloat16": FLIP_CROP,
    "the same, channels last": replace(FLIP_CROP, channels_last=True),
    "flip + translation by 2, bfloat16, channels last": replace(FLIP_CROP, padding=2, channels_last=True),
}


@pytest.mark.parametrize("name", CHAINS)
def test_share_of_copying(race, cifar_sized, quick, name):
    chain, ids = CHAINS[name], batch_of(cifar_sized, 64 if quick else 16384)
    names = ["torch", "DALI CPU", "airbench's loader", "triton-augment"]
    race(
        views_forever(chain, cifar_sized, ids),
        contenders(chain, cifar_sized, ids, *names),
        work=len(ids),
        unit="images/s",
        peaks={("copy", "auto"): len(ids) * chain.view_bytes(cifar_sized)},
    )


@pytest.mark.parametrize("batch", [512, 4096, 65536])
def test_batch_size(race, cifar_sized, quick, device, batch):
    ids = batch_of(cifar_sized, 64 if quick else batch)
    names = ["torch", "airbench's loader"]
    if device == "cuda":
        names += ["kornia", "torchvision, one draw a batch", "triton-augment"]
    race(
        views_forever(FLIP_CROP, cifar_sized, ids),
        contenders(FLIP_CROP, cifar_sized, ids, *names),
        also={"kernels alone": graph_replay(FLIP_CROP, cifar_sized, ids)} if device == "cuda" else {},
        work=len(ids),
        unit="images/s",
        peaks={("copy", "auto"): len(ids) * FLIP_CROP.view_bytes(cifar_sized)},
        case=f"flip + padded crop + normalize, bfloat16, batch {batch:,}",
    )
