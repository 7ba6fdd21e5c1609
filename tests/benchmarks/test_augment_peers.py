"""The peers of the augmentation benchmarks render what they are raced for; the table of differences is right."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from benchmarks.augment import chain as chains
from benchmarks.augment.conftest import batch_of, ring, views_forever
from benchmarks.augment.differences.__main__ import markdown, rows_of
from benchmarks.augment.differences.operations import OPERATIONS
from benchmarks.augment.native_call import bare_operator, forced, levels
from benchmarks.augment.peers import PEERS, contenders

from benchmarks import peaks

CHAINS = {name: getattr(chains, name) for name in ("FLIP_CROP", "CROPS", "SIMCLR", "SIMCLR_BLUR")}
QUICK = [name for name in PEERS if name not in ("kornia compiled", "triton-augment")]


@pytest.fixture(scope="module")
def bank() -> torch.Tensor:
    return torch.randint(0, 256, (24, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("peer", QUICK)
@pytest.mark.parametrize("name", CHAINS)
def test_peers_render_a_batch(bank, name, peer):
    made = contenders(CHAINS[name], bank, torch.arange(8), peer)
    if not made:
        pytest.skip(f"{peer} is not installed or cannot do it")
    x = made[peer]()
    if isinstance(x, tuple):  # DALI's own tensors
        x = torch.stack([torch.tensor(x[0].at(i)) for i in range(8)])
    assert x.shape == (8, 3, 32, 32)
    assert x.float().isfinite().all()
    assert x.dtype == CHAINS[name].dtype or (peer == "DALI CPU" and x.dtype == torch.float16)


@pytest.mark.parametrize("peer", QUICK)
def test_peers_mean_the_same_on_average(bank, peer):
    """Mean and spread of the pixels of the whole chain: a wrong scale or a missing normalization would show."""
    ids = torch.arange(24).repeat(8)
    ours = chains.SIMCLR.recipe()(bank, ids, torch.arange(192)).double()
    made = contenders(chains.SIMCLR, bank, ids, peer)
    if not made or peer == "torchvision, one draw a batch":
        pytest.skip(f"{peer} is not installed, cannot do it, or draws once")
    torch.manual_seed(0)
    x = made[peer]()
    x = torch.stack([torch.tensor(x[0].at(i)) for i in range(192)]) if isinstance(x, tuple) else x
    assert float(x.double().mean()) == pytest.approx(float(ours.mean()), abs=0.15)
    assert float(x.double().std()) == pytest.approx(float(ours.std()), rel=0.2)


def test_our_side_of_a_race(bank):
    chain = replace(chains.FLIP_CROP, channels_last=True)
    ids = batch_of(bank, 40)
    assert ids.shape == (40,)
    first, second = (views_forever(chain, bank, ids)() for _ in range(2))
    assert torch.equal(first, second)
    assert first.dtype == torch.bfloat16
    assert first.is_contiguous(memory_format=torch.channels_last)
    outs = ring(40, (3, 32, 32), torch.float32, False, "cpu")
    assert len({out.data_ptr() for out in outs}) == len(outs) > 1
    views = torch.arange(40)
    expected = chain.recipe()(bank, ids, views)
    for render in (bare_operator, *(forced(level) for level in (*levels(), "auto"))):
        out = torch.empty(40, 3, 32, 32)
        render(chain.recipe(), bank, ids, views, out)
        assert torch.equal(out, expected)


def test_bytes_that_a_view_moves(bank):
    assert chains.FLIP_CROP.view_bytes(bank) == 3072 + 6144
    assert chains.LARGE.view_bytes(bank) == 3072 + 4 * 3 * 224 * 224


def test_copy_bandwidth_is_plausible(monkeypatch):
    monkeypatch.setattr(peaks, "COPY_BYTES", 1 << 22)
    peaks._copy_buffers.cache_clear()
    assert 1e8 < peaks.measure("copy", threads=1) < 1e13
    assert torch.equal(*peaks._copy_buffers("cpu"))
    peaks._copy_buffers.cache_clear()


@pytest.mark.parametrize("name", OPERATIONS)
def test_torchvision_is_the_meaning(bank, name):
    """The column of the table that has to be next to nothing."""
    from benchmarks.augment.differences import by_torchvision

    if by_torchvision.import_torchvision() is None:
        pytest.skip("torchvision is not installed")
    recipe, ids = OPERATIONS[name], torch.arange(24)
    ours = recipe(bank, ids, ids, seed=1)
    rows = rows_of(recipe, ids, ids, (32, 32))
    theirs = by_torchvision.render_floats(name, bank, rows, tuple(ours.shape[2:]))
    assert (ours - theirs).abs().max() < 2e-5


def test_markdown_of_differences():
    found = {"flip": dict.fromkeys(("a", "b"), (0.0, 0.0)), "hue": {"a": (115.25, 6.625), "b": None}}
    lines = markdown(found).splitlines()
    assert lines[2] == "| flip | 0 / 0 | 0 / 0 |"
    assert lines[3] == "| hue | 115 / 6.62 | - |"
