"""Hashes of rows against the definition in Python's own integers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.ops.row_hash import row_hash

MASK = (1 << 64) - 1
LANES = 8


def mix(x: int) -> int:
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def step(lane: int, word: int) -> int:
    lane = (lane ^ word) * 0x9E3779B97F4A7C15 & MASK
    return lane ^ (lane >> 32)


def expected(row: bytes, seed: int) -> int:
    lanes = [mix((seed + lane + 1) & MASK) for lane in range(LANES)]
    padded = row + bytes(-len(row) % 8)
    for number in range(len(padded) // 8):
        word = int.from_bytes(padded[8 * number : 8 * number + 8], "little")
        lanes[number % LANES] = step(lanes[number % LANES], word)
    value = mix(seed ^ len(row))
    for lane in lanes:
        value = step(value, mix(lane))
    return mix(value)


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("seed", [0, 5, 2**64 - 1])
def test_against_the_definition(width, seed):
    rows = torch.randint(0, 256, (5, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(width))
    found = row_hash(rows, seed).numpy().view(np.uint64)
    assert [int(value) for value in found] == [expected(row.numpy().tobytes(), seed) for row in rows]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64, torch.int64])
def test_pixels_of_any_type_and_shape(dtype):
    rows = torch.rand(4, 3, 5, 7, generator=torch.Generator().manual_seed(0)).mul(100).to(dtype)
    found = row_hash(rows).numpy().view(np.uint64)
    assert [int(value) for value in found] == [expected(row.numpy().tobytes(), 0) for row in rows]
    assert torch.equal(row_hash(rows[::2]), row_hash(rows)[::2]), "rows may lie apart"


def test_threads_change_nothing():
    rows = torch.rand(5000, 40, generator=torch.Generator().manual_seed(1))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = row_hash(rows)
        torch.set_num_threads(3)
        assert torch.equal(row_hash(rows), one)
    finally:
        torch.set_num_threads(before)


def test_half_of_equal_rows_and_no_others():
    rows = torch.arange(200_000, dtype=torch.int64)[:, None] // 2
    assert len(torch.unique(row_hash(rows))) == 100_000
    close = torch.zeros(1000, 96)
    close[torch.arange(96 * 10), torch.arange(96).repeat(10)] = torch.linspace(1e-40, 1.0, 960)
    assert len(torch.unique(row_hash(close))) == 961


def test_no_rows():
    assert row_hash(torch.empty(0, 4)).shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: row_hash(torch.zeros(3)), "rows: wanted"),
        (lambda: row_hash(torch.zeros(3, 0)), "rows: wanted"),
        (lambda: row_hash(torch.zeros(2, 4, 4).transpose(1, 2)), "contiguous rows"),
        (lambda: row_hash(torch.zeros(1, 4).expand(3, 4)), "overlap"),
        (lambda: row_hash(torch.zeros(2, 2), seed=-1), "seed"),
        (lambda: row_hash(torch.zeros(2, 2), seed=2**64), "seed"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_operator_passes_torch_s_own_checks():
    torch.library.opcheck(torch.ops.rote.row_hash.default, (torch.rand(3, 5), 7))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_is_refused():
    with pytest.raises(ValueError, match="on the CPU"):
        row_hash(torch.zeros(2, 2, device="cuda"))
