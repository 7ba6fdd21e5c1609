"""The address space against a plain Python Philox, at its limits, and the keyed permutation."""

from __future__ import annotations

import pytest
import torch

from rote import _native, address
from rote.address import Stream

KNOWN_ANSWERS = [  # Random123, philox4x32, 10 rounds: counter, key, answer
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


def philox_by_hand(counter: int, seed: int) -> list[int]:
    """Ten rounds on Python integers; the counter is one 128-bit number, so the layout is checked as well."""
    c = [(counter >> (32 * i)) & 0xFFFFFFFF for i in range(4)]
    k = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_known_answers(counter, key, answer):
    assert list(_native.philox4x32_10(*counter, *key)) == answer
    assert philox_by_hand(sum(c << 32 * i for i, c in enumerate(counter)), key[0] | key[1] << 32) == answer


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize(
    ("image", "view", "stream", "slot"),
    [(0, 0, 0, 0), (2**40 - 1, 2**48 - 1, 2**16 - 1, 2**26 - 1), (5, 2**32, 0x8000, 7), (2**39, 3, 1, 1)],
)
def test_words_follow_the_written_layout(seed, image, view, stream, slot):
    counter = image | view << 40 | stream << 88 | (slot // 4) << 104
    expected = philox_by_hand(counter, seed)[slot % 4]
    assert address.words(seed, image, view, stream, slot).item() == expected


def test_nothing_wraps():
    low, high = address.words(0, 0, torch.tensor([7, 7 + 2**32]), 0)
    assert low != high
    for bad in [
        lambda: address.words(-1, 0, 0, 0),
        lambda: address.words(2**64, 0, 0, 0),
        lambda: address.words(0, 2**40, 0, 0),
        lambda: address.words(0, torch.tensor([0, -1]), 0, 0),
        lambda: address.words(0, 0, 2**48, 0),
        lambda: address.words(0, 0, 0, 2**16),
        lambda: address.words(0, 0, 0, 0, 2**26),
        lambda: address.integers(0, 0, 0, 0, 0),
        lambda: address.permutation(0, -1),
    ]:
        with pytest.raises(ValueError, match="wanted"):
            bad()
    with pytest.raises(TypeError, match="images"):
        address.words(0, torch.tensor([0.5]), 0, 0)


def test_uniform_and_integers():
    images = torch.arange(200_000)
    u = address.uniform(3, images, 0, Stream.LABELS)
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 4 / (12**0.5 * 200_000**0.5)
    counts = torch.bincount(address.integers(3, images, 0, Stream.LABELS, 10), minlength=10)
    chi2 = ((counts - 20_000) ** 2 / 20_000).sum()
    assert chi2 < 27.9  # 0.1 % point for 9 degrees of freedom


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 256, 257, 5000])
def test_permutation_is_one(n):
    order = address.permutation(11, n, epoch=4)
    assert torch.equal(order.sort().values, torch.arange(n))
    assert torch.equal(order, address.permutation(11, n, epoch=4))
    if n >= 256:
        assert not torch.equal(order, address.permutation(11, n, epoch=5))
        assert not torch.equal(order, address.permutation(12, n, epoch=4))


def test_permutation_spreads_every_position():
    hits = torch.zeros(8, 8)
    for epoch in range(4000):
        hits[torch.arange(8), address.permutation(1, 8, epoch)] += 1
    chi2 = ((hits - 500) ** 2 / 500).sum()
    assert chi2 < 85.4  # 0.1 % point for 49 degrees of freedom


def test_result_does_not_depend_on_threads():
    images = torch.arange(50_000)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = address.words(5, images, 9, 3)
        torch.set_num_threads(4)
        assert torch.equal(one, address.words(5, images, 9, 3))
    finally:
        torch.set_num_threads(threads)
