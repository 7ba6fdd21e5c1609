"""What a call costs: a batch of one image, beside the bare operator and the fewest torch operations that render one."""

from __future__ import annotations

import itertools

import pytest
import torch

from benchmarks.augment.native_call import bare_operator, forced
from rote.augment import Recipe, recipes

CALLS = 200  # at a time, for a single one is at the clock's own grain


@pytest.mark.parametrize("case", ["one image as it is", "flip + padded crop of one image"])
def test_one_view(race, cifar_sized, device, case):
    recipe = Recipe() if case == "one image as it is" else recipes["flip-crop"]
    ids, views = torch.tensor([7], device=device), torch.tensor([3], device=device)
    out = torch.empty(1, 3, 32, 32, device=device)

    def repeated(call):
        def run():
            for _ in itertools.repeat(None, CALLS):
                call()

        return run

    ways = {
        "with an output": lambda: recipe(cifar_sized, ids, views, out=out),
        "the bare operator": lambda: bare_operator(recipe, cifar_sized, ids, views, out),
    }
    if device == "cpu":
        native = forced("auto")
        ways["the native call"] = lambda: native(recipe, cifar_sized, ids, views, out)
    race(
        repeated(lambda: recipe(cifar_sized, ids, views)),
        {"torch index and divide": repeated(lambda: cifar_sized[ids].float().div_(255))},
        also={name: repeated(call) for name, call in ways.items()},
        work=CALLS,
        unit="calls/s",
    )
