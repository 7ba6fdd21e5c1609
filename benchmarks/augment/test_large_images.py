"""ImageNet's sizes: 224 px views of 256 px images."""

from __future__ import annotations

import pytest

from benchmarks.augment.chain import LARGE, Chain
from benchmarks.augment.conftest import batch_of, views_forever
from benchmarks.augment.peers import contenders

CHAINS = {
    "224 px from 256 px: resized crop + flip + jitter": LARGE,
    "224 px from 256 px: resized crop + flip": Chain(size=224),
}


@pytest.mark.parametrize("name", CHAINS)
def test_beside_everybody(race, large_images, quick, name):
    chain, ids = CHAINS[name], batch_of(large_images, 8 if quick else 256)
    names = ["torch", "DALI CPU", "kornia", "torchvision, per image", "albumentations"]
    others = contenders(chain, large_images, ids, *names)
    race(views_forever(chain, large_images, ids), others, work=len(ids), unit="images/s")
