"""`out=`: whatever the buffers' layout, the result is the search's; dense ones are written without a copy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import rote
from rote.neighbors import outputs

from .test_knn import assert_same, points

Q, R = points(6), points(9, seed=1)
EXPECTED = rote.knn(Q, R, 4)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every result that was copied into buffers after the search."""
    made = []
    copy_to = outputs.copy_to
    monkeypatch.setattr("rote.neighbors.search.copy_to", lambda *given: (made.append(1), copy_to(*given))[1])
    return made


def numpy_pair() -> tuple[np.ndarray, np.ndarray]:
    return np.full((6, 4), 7, np.float32), np.full((6, 4), 7, np.int64)


def torch_pair() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((6, 4), 7.0), torch.full((6, 4), 7)


@pytest.mark.parametrize("pair", [numpy_pair, torch_pair])
def test_dense_buffers_are_written_by_the_search_itself(pair, copies):
    queries, references = (Q, R) if pair is numpy_pair else (torch.from_numpy(Q), torch.from_numpy(R))
    out = pair()
    found = rote.knn(queries, references, 4, out=out)
    assert found[0] is out[0]
    assert found[1] is out[1]
    assert_same(found, EXPECTED)
    assert not copies
    *found, stats = rote.Index(references).search(queries, 4, out=pair(), return_stats=True)
    assert_same(found, EXPECTED)
    assert stats["exact_keys"] > 0
    assert not copies


def unaligned() -> np.ndarray:
    return np.empty(6 * 4 * 4 + 1, np.uint8)[1:].view(np.float32).reshape(6, 4)


@pytest.mark.parametrize(
    "out",
    [
        (np.empty((6, 8), np.float32)[:, ::2], numpy_pair()[1]),
        (numpy_pair()[0], np.empty((4, 6), np.int64).T),
        (np.empty((6, 4), np.float32)[::-1, ::-1], numpy_pair()[1]),
        (unaligned(), numpy_pair()[1]),
        (torch.empty(6, 8)[:, 4:], torch_pair()[1]),
        (torch._neg_view(torch.empty(6, 4)), torch_pair()[1]),
        (torch_pair()[0], torch.empty(4, 6, dtype=torch.int64).T),
        (torch.nn.Parameter(torch.empty(6, 4)), torch_pair()[1]),
    ],
)
def test_other_buffers_are_filled_by_a_copy(out, copies):
    is_numpy = isinstance(out[0], np.ndarray)
    found = rote.knn(*((Q, R) if is_numpy else (torch.from_numpy(Q), torch.from_numpy(R))), 4, out=out)
    assert found[0] is out[0]
    assert_same([part.detach().resolve_neg() if isinstance(part, torch.Tensor) else part for part in found], EXPECTED)
    assert copies == [1]


def test_buffers_that_share_memory_with_an_input_do_not_disturb_the_search(copies):
    references = points(9, 4, 1).astype(np.float32)
    queries = references[:6] + np.float32(0.25)
    expected = rote.knn(queries, references, 4)
    own = references.copy()
    assert_same(rote.knn(queries, own, 4, out=(own[:6], numpy_pair()[1])), expected)  # distances over references
    own = queries.copy()
    assert_same(rote.knn(own, references, 4, out=(own, numpy_pair()[1])), expected)
    ids = np.full((6, 4), 3)
    expected = rote.knn(queries, references, 4, exclude=ids[:, 0].copy())
    assert_same(rote.knn(queries, references, 4, exclude=ids[:, 0], out=(numpy_pair()[0], ids)), expected)
    assert copies == [1, 1, 1]


def test_autograd_and_an_index_notice_what_was_written(copies):
    queries, references = torch.randn(6, 4), torch.randn(9, 4)
    distances, indices = torch_pair()
    index = rote.Index(distances)
    weights = torch.ones(6, 4, requires_grad=True)
    loss = (weights * distances).sum()  # keeps `distances` for backward
    rote.knn(queries, references, 4, out=(distances, indices))
    assert not copies
    with pytest.raises(RuntimeError, match="changed in place"):
        index.search(distances, 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    with torch.inference_mode():
        rote.knn(queries, references, 4, out=torch_pair())


def test_compiled_and_fake_calls_fill_buffers_too():
    queries, references = torch.from_numpy(Q), torch.from_numpy(R)

    def search(queries, references, distances, indices):
        rote.knn(queries, references, 4, out=(distances, indices))
        return distances + 1, indices + 1

    found = torch.compile(search, fullgraph=True, backend="aot_eager")(queries, references, *torch_pair())
    np.testing.assert_array_equal(found[0], EXPECTED[0] + 1)
    np.testing.assert_array_equal(found[1], EXPECTED[1] + 1)
    with FakeTensorMode():
        out = torch.empty(6, 4), torch.empty(6, 4, dtype=torch.int64)
        assert rote.knn(torch.empty(6, 7), torch.empty(9, 7), 4, out=out)[0] is out[0]


def test_an_empty_batch():
    out = np.empty((0, 4), np.float32), np.empty((0, 4), np.int64)
    assert rote.knn(Q[:0], R, 4, out=out)[0] is out[0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ((0, lambda a: a.astype(np.float64)), TypeError, r"out\[0\] must be float32 of shape \[Q, k\]; got float64"),
        ((0, lambda a: a.astype(">f4")), TypeError, r"out\[0\] must be float32 of shape \[Q, k\]; got >f4 \[6, 4\]"),
        ((1, lambda a: a.astype(np.int32)), TypeError, r"out\[1\] must be int64 of shape \[Q, k\]; got int32 \[6, 4\]"),
        ((1, lambda a: a[:, :3]), ValueError, r"out\[1\] must be int64 of shape \[6, 4\]; got int64 \[6, 3\]"),
        ((0, lambda a: np.broadcast_to(a[0], (6, 4))), ValueError, r"out\[0\] must be writable; got a read-only"),
        ((0, np.ma.masked_array), TypeError, r"out\[0\] must be a plain array; got a masked array"),
        ((0, lambda a: a.tolist()), TypeError, r"out\[0\]: out must be two numpy arrays, as queries is one; got list"),
    ],
)
def test_bad_buffers_are_named_and_nothing_is_written(change, error, message):
    place, spoil = change
    out = list(numpy_pair())
    out[place] = spoil(out[place])
    with pytest.raises(error, match=message):
        rote.knn(Q, R, 4, out=tuple(out))
    assert (np.asarray(out[1 - place]) == 7).all()
