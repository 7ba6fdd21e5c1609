"""The embedded data set: the same bytes everywhere, hard for raw pixels, true to its source."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from rote.address import Stream, words
from rote.data import DataError, ImageBank, digits, load

FINGERPRINT = "bd305674957b849256ecab096084b0e09e16a08552e6c7a08d63c878ac58ae31"


@pytest.fixture(scope="module")
def bank() -> ImageBank:
    return load("digits")


def test_same_bytes_on_every_machine(bank):
    assert bank.fingerprint() == FINGERPRINT


def test_shape_and_counts(bank):
    assert bank.train.images.shape == (1437, 3, 16, 16)
    assert bank.test.images.shape == (360, 3, 16, 16)
    assert bank.classes == tuple("0123456789")
    totals = torch.bincount(bank.train.labels) + torch.bincount(bank.test.labels)
    assert totals.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (torch.bincount(bank.test.labels) - totals * 360 / 1797).abs().max() < 1


def test_enlargement_is_bilinear_on_pixel_centres():
    glyphs = torch.from_numpy(np.random.default_rng(0).integers(0, 17, (5, 8, 8)))
    expected = torch.nn.functional.interpolate(glyphs[:, None].double(), size=(12, 12), mode="bilinear")[:, 0] * 36
    torch.testing.assert_close(digits.enlarge(glyphs).double(), expected)


def test_picture_is_the_enlarged_digit_in_its_ink_on_its_ground(monkeypatch):
    monkeypatch.setattr(digits, "NOISE", 0)
    glyphs = digits._source()[0][:300]
    pictures = digits.draw(glyphs).double()
    large = torch.nn.functional.interpolate(glyphs[:, None].double() / 16, size=(12, 12), mode="bilinear")[:, 0]
    positions = set()
    for index in range(len(glyphs)):
        top, left, *levels = (words(digits.SEED, index, 0, Stream.DIGITS, slot).item() / 2**32 for slot in range(8))
        top, left = int(5 * top), int(5 * left)
        ink = torch.tensor([168 + int(88 * level) for level in levels[:3]])[:, None, None]
        ground = torch.tensor([int(88 * level) for level in levels[3:]])[:, None, None]
        share = torch.zeros(16, 16, dtype=torch.float64)
        share[top : top + 12, left : left + 12] = large[index]
        assert (pictures[index] - (ground + (ink - ground) * share)).abs().max() <= 0.5 + 1e-9
        positions.add((top, left))
    assert len(positions) == 25


def test_noise_is_slight_and_centred():
    noise = digits._noise(torch.arange(300)).double()
    assert abs(noise.mean()) < 0.1
    assert 5.8 < noise.std() < 6.2
    assert noise.abs().max() <= 25


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_raw_pixels_are_beatable(bank, metric):
    neighbors = pytest.importorskip("sklearn.neighbors")
    train, test = (split.images.flatten(1).double().numpy() for split in (bank.train, bank.test))
    probe = neighbors.KNeighborsClassifier(20, metric=metric).fit(train, bank.train.labels)
    assert 0.6 < probe.score(test, bank.test.labels) < 0.76


def test_missing_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'rote\[lab\]'"):
        load("digits")


def test_other_source_pictures_are_refused(monkeypatch):
    monkeypatch.setattr(digits, "SOURCE_SHA256", "0" * 64)
    with pytest.raises(DataError, match="other pictures"):
        load("digits")


def test_takes_neither_root_nor_size(tmp_path):
    with pytest.raises(ValueError, match="root: data set 'digits' does not take root="):
        load("digits", tmp_path)
    with pytest.raises(ValueError, match="size: data set 'digits' does not take size="):
        load("digits", size=32)
