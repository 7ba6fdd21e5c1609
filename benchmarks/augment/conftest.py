"""Banks and outputs beyond the caches, and calls that go on to the next view as a training loop does."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch

#: A ring of outputs is at least this large in all: no view is written to memory that a cache still holds.
RING_BYTES = 256 << 20


@pytest.fixture(scope="module")
def cifar_sized(request) -> torch.Tensor:
    """uint8 [50000, 3, 32, 32], 150 MB: CIFAR-10's size. Smooth blocks under noise, for colours cost by content."""
    return _bank(256 if request.config.getoption("--quick") else 50_000, 32).to(request.config.getoption("--device"))


@pytest.fixture(scope="module")
def large_images(request) -> torch.Tensor:
    """uint8 [768, 3, 256, 256], 150 MB."""
    return _bank(16 if request.config.getoption("--quick") else 768, 256).to(request.config.getoption("--device"))


def _bank(count: int, side: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randint(0, 192, (count, 3, 8, 8), dtype=torch.uint8, generator=generator)
    blocks = coarse.repeat_interleave(side // 8, 2).repeat_interleave(side // 8, 3)
    return blocks.add_(torch.randint(0, 64, blocks.shape, dtype=torch.uint8, generator=generator))


def batch_of(bank: torch.Tensor, count: int) -> torch.Tensor:
    """Ids of a shuffled batch, int64 [count]."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randperm(len(bank), generator=generator)
    return ids.repeat(-(-count // len(bank)))[:count].to(bank.device)


def ring(count: int, shape: tuple[int, ...], dtype: torch.dtype, channels_last: bool, device) -> list[torch.Tensor]:
    """Outputs [count, *shape] to write in turn."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    one = torch.empty((count, *shape), dtype=dtype, device=device, memory_format=layout)
    copies = 2 if one.numel() * one.itemsize >= RING_BYTES else -(-RING_BYTES // (one.numel() * one.itemsize))
    return [one.fill_(0), *(torch.zeros_like(one) for _ in range(min(copies, 64) - 1))]


def views_forever(chain, bank: torch.Tensor, ids: torch.Tensor, render: Callable | None = None) -> Callable[[], object]:
    """A call that renders the next view of every id into the next output of a ring.

    Args:
        render: (recipe, bank, ids, views, out) -> ...; the recipe's own call by default.
    """
    recipe, counter = chain.recipe(), itertools.count()
    shape = (bank.shape[1], *chain.view_size(bank))
    outs = itertools.cycle(ring(len(ids), shape, chain.dtype, chain.channels_last, bank.device))
    views = torch.empty_like(ids)

    def call():
        views.fill_(next(counter))
        if render is None:
            return recipe(bank, ids, views, out=next(outs))
        return render(recipe, bank, ids, views, next(outs))

    return call


def graph_replay(chain, bank: torch.Tensor, ids: torch.Tensor) -> Callable[[], object]:
    """The kernels of one call alone: captured in a CUDA graph, replayed. Small outputs may stay in the L2 cache."""
    call = views_forever(chain, bank, ids)
    call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay
