"""Every executor of the CPU against the scalar oracle, to the bit."""

from __future__ import annotations

import torch

from rote.augment import Recipe

from .conftest import make_addresses, make_bank
from .forced import EXECUTORS, render_by


def assert_levels_agree(recipe: Recipe, *, channels: int = 3, image: tuple[int, int] = (32, 32)) -> None:
    """In every dtype and layout."""
    bank = make_bank(24, channels, *image)
    ids, views = make_addresses(40)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for channels_last in (False, True):
            how = {"seed": 3, "dtype": dtype, "channels_last": channels_last}
            expected = render_by("scalar", recipe, bank, ids, views, **how)
            for executor in EXECUTORS[1:]:
                got = render_by(executor, recipe, bank, ids, views, **how)
                integers = torch.int32 if dtype == torch.float32 else torch.int16
                assert torch.equal(got.view(integers), expected.view(integers)), (executor, dtype, channels_last)
