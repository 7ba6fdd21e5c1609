"""The same bits from DataLoader workers, from many threads, and under every ROTE_SIMD."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from rote.augment import recipes

from .conftest import make_addresses, make_bank

RECIPE = recipes["benign-full"]
TESTS = os.path.dirname(os.path.dirname(__file__))


class Views(Dataset):
    """One rendered view an item."""

    def __init__(self, count: int) -> None:
        self.bank = make_bank()
        self.ids, self.views = make_addresses(count)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, i: int) -> torch.Tensor:
        return RECIPE(self.bank, self.ids[i : i + 1], self.views[i : i + 1], seed=2)[0]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_dataloader_workers_render_the_same_views(start, monkeypatch):
    monkeypatch.syspath_prepend(TESTS)  # a spawned worker inherits the path and imports this module by it
    data = Views(24)
    expected = RECIPE(data.bank, data.ids, data.views, seed=2)  # also: the OpenMP pool is in use before the fork
    loader = DataLoader(data, batch_size=6, num_workers=2 if start == "fork" else 1, multiprocessing_context=start)
    assert torch.equal(torch.cat(list(loader)), expected)


def test_eight_calling_threads(bank):
    def render(worker: int) -> torch.Tensor:
        ids, views = make_addresses(64, seed=worker)
        return torch.stack([RECIPE(bank, ids, views, seed=worker) for _ in range(5)])

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(render, range(8)))
    for worker, result in enumerate(together):
        assert torch.equal(result, render(worker))


def digest() -> str:
    """Hash of views under every named recipe, in every dtype."""
    hasher = hashlib.sha256()
    bank = make_bank()
    ids, views = make_addresses(200)
    for recipe in recipes.values():
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            hasher.update(recipe(bank, ids, views, dtype=dtype).view(torch.uint8).numpy().tobytes())
    return hasher.hexdigest()


def test_rote_simd_changes_speed_only():
    """The lowest level in a process of its own, against the best one here."""
    code = "import rote; from augment.test_processes import digest; print(rote._native.simd_level(), digest())"
    path = os.pathsep.join([TESTS, *filter(None, sys.path)])
    environment = os.environ | {"ROTE_SIMD": "baseline", "PYTHONPATH": path}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.split() == ["baseline", digest()]
