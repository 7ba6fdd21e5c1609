"""Presentations that were recorded apart and put one behind the other, against one recording of them all."""

from __future__ import annotations

import pytest
import torch

from rote.metrics.record_merge import append_
from rote.ops.record import COUNTS, SUMS, RecordTensors, record, record_tensors

N, CLASSES = 400, 3


def histories(length: int, seed: int):
    """(ids, logits, labels) of `length` rounds; right, wrong, tied, and some rows that are no distribution."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(length):
        ids = torch.randperm(N, generator=generator)[: N - 150]  # some examples are left out of each round
        logits = torch.randn(len(ids), CLASSES, generator=generator).round(decimals=1)
        logits[torch.rand(len(ids), generator=generator) < 0.2] = float("nan")
        yield ids, logits, torch.randint(0, CLASSES, (len(ids),), generator=generator)


def recorded(*rounds) -> RecordTensors:
    state = record_tensors(N, "cpu", num_classes=CLASSES)
    for ids, logits, labels in rounds:
        record(logits, labels, ids, state)
    return state


@pytest.mark.parametrize("before", [0, 1, 2, 5])
@pytest.mark.parametrize("after", [1, 2, 4])
def test_as_if_recorded_at_once(before, after):
    first, second = list(histories(before, 1)), list(histories(after, 2))
    whole, state, later = recorded(*first, *second), recorded(*first), recorded(*second)
    ids = later.counts[:, COUNTS.index("presentations")].nonzero().squeeze(1).flip(0)
    append_(state, ids, RecordTensors(*(tensor[ids] for tensor in later[:4]), None))
    assert torch.equal(state.counts, whole.counts)
    assert torch.equal(state.values.nan_to_num(-1), whole.values.nan_to_num(-1))
    assert torch.equal(state.logits.nan_to_num(-1), whole.logits.nan_to_num(-1))
    once = torch.ones(N, dtype=bool) if before == 0 else later.counts[:, COUNTS.index("presentations")] <= 1
    assert torch.equal(state.sums[once], whole.sums[once])
    torch.testing.assert_close(state.sums, whole.sums, rtol=1e-13, atol=1e-14)
    assert once.sum() > 10


def test_labels_that_are_left_out_stay_infinite():
    inf = float("inf")
    first = (torch.tensor([0]), torch.tensor([[-inf, 0.0, 1.0]]), torch.tensor([0]))
    second = (torch.tensor([0]), torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([1]))
    state, later = recorded(first), recorded(second)
    append_(state, torch.tensor([0]), RecordTensors(*(tensor[:1] for tensor in later[:4]), None))
    assert torch.equal(state.sums, recorded(first, second).sums)
    assert state.sums[0, SUMS.index("loss")] == inf
