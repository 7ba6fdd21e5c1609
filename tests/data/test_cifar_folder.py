"""The real CIFAR-10 as a folder of JPEG files."""

from __future__ import annotations

import pytest
import torch

from rote.data import load
from rote.data.cifar10 import CLASSES
from rote.data.summary import channel_statistics

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
