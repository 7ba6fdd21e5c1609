"""The real CIFAR-10 as a folder of JPEG files."""

from __future__ import annotations

import pytest
import torch

from rote.data import load
from rote.data.cifar10 import CLASSES
from rote.data.folder import load_folder
from rote.data.summary import channel_statistics

from .conftest import needs_dali

pytestmark = pytest.mark.cifar


def test_sample_of_the_archive(cifar_sample, tmp_path):
    root, counts = cifar_sample
    assert counts == {f"train/{name}": 5000 for name in CLASSES} | {f"test/{name}": 1000 for name in CLASSES}
    bank = load("folder", root, cache_dir=tmp_path, progress=False)
    assert bank.classes == CLASSES
    assert bank.image_size == (32, 32)
    mean, deviation = channel_statistics(bank.train)
    # 2,000 pictures: the mean of their mean brightness has a standard error of about 0.003.
    assert mean == pytest.approx([0.491, 0.482, 0.447], abs=0.012)
    assert deviation == pytest.approx([0.245, 0.243, 0.261], abs=0.008)


@needs_dali
def test_decoders_agree_on_the_sample(cifar_sample):
    """The numbers of docs/decoding.md, on a part of the files."""
    root, _ = cifar_sample
    banks = {
        (name, size): load_folder(root, size=size, use_cache=False, progress=False, decoder=name)
        for name in ("pillow", "dali")
        for size in (None, (24, 24), (64, 64))
    }
    if banks["dali", None].source["decoder"]["device"] != "cpu":
        pytest.skip("the published numbers are those of DALI on the CPU")
    assert banks["dali", None].fingerprint() == banks["pillow", None].fingerprint()
    for size, largest in (((24, 24), 16), ((64, 64), 1)):
        one, other = (banks[name, size].train.images.to(torch.int16) for name in ("dali", "pillow"))
        apart = (one - other).abs()
        assert int(apart[..., 1:-1, 1:-1].max()) <= 1
        assert int(apart.max()) <= largest
        assert float(apart.double().mean()) < 0.3


def test_whole_folder(cifar_folder, pytestconfig):
    # Kept between sessions, so that only the first one decodes.
    cache = pytestconfig.cache.mkdir("rote-pictures") if pytestconfig.pluginmanager.hasplugin("cacheprovider") else None
    bank = load("folder", cifar_folder, cache_dir=cache, progress=False)
    assert bank.classes == CLASSES
    assert torch.bincount(bank.train.labels).tolist() == [5000] * 10
    assert torch.bincount(bank.test.labels).tolist() == [1000] * 10
    mean, deviation = channel_statistics(bank.train)
    assert mean == pytest.approx([0.491, 0.482, 0.447], abs=0.001)
    assert deviation == pytest.approx([0.245, 0.243, 0.261], abs=0.001)
