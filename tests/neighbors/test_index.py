"""`rote.Index`: what it keeps, when it refuses, how it travels."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import rote

from . import oracle


@pytest.fixture
def references() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((30, 5)).astype(np.float32)


def test_searches_like_knn(references: np.ndarray):
    queries = references[:7] + 0.1
    groups, mask = (np.arange(7) % 3, np.arange(30) % 3), np.arange(30) > 4
    options = {"exclude": np.arange(7), "groups": groups, "mask": mask}
    found = rote.Index(references, metric="cosine").search(queries, 4, **options)
    expected = oracle.knn(queries, references, 4, "cosine", **options)
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])
    out = np.empty((7, 4), np.float32), np.empty((7, 4), np.int64)
    assert rote.Index(references).search(queries, 4, out=out)[1] is out[1]


def test_statistics_are_those_of_the_search(references: np.ndarray):
    index = rote.Index(references)
    plain, counted = index.search(references, 3), index.search(references, 3, return_stats=True)
    assert len(plain) == 2
    for a, b in zip(plain, counted[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    stats = counted[2]
    assert 3 * 30 <= stats["exact_keys"] <= 30 * 30
    assert stats["uncertified_rows"] == 0
    huge = index.search(np.full((8, 5), 1e200), 3, return_stats=True)[2]  # no low-precision bound covers these
    assert huge["rows_float64"] == 8
    with pytest.raises(NotImplementedError, match="return_stats=True: the search on meta keeps no statistics"):
        index.to("meta").search(torch.empty(2, 5, device="meta"), 3, return_stats=True)


def test_a_numpy_array_is_copied(references: np.ndarray):
    index = rote.Index(references)
    before = index.search(references, 3)[1]
    queries = references.copy()
    references[:] = 0
    np.testing.assert_array_equal(index.search(queries, 3)[1], before)


def test_the_result_has_the_kind_of_the_queries(references: np.ndarray):
    assert isinstance(rote.Index(references).search(torch.from_numpy(references), 1)[0], torch.Tensor)
    assert isinstance(rote.Index(torch.from_numpy(references)).search(references, 1)[0], np.ndarray)


def test_a_tensor_is_kept_and_its_change_is_noticed(references: np.ndarray):
    tensor = torch.from_numpy(references)
    index = rote.Index(tensor)
    assert index.references.data_ptr() == tensor.data_ptr()
    index.search(tensor, 1)
    tensor[3, 2] += 1
    for use in (lambda: index.search(tensor, 1), lambda: index.to("cpu"), lambda: pickle.dumps(index)):
        with pytest.raises(RuntimeError, match="changed in place"):
            use()
    rote.Index(tensor).search(tensor, 1)


def test_a_change_through_a_view_or_an_optimizer_is_noticed():
    weight = torch.nn.Parameter(torch.randn(10, 4))
    index = rote.Index(weight[2:])
    weight.sum().backward()
    torch.optim.SGD([weight], lr=0.1).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        index.search(torch.zeros(1, 4), 1)


def test_an_inference_tensor_is_copied():
    with torch.inference_mode():
        tensor = torch.eye(3)
        index = rote.Index(tensor)
        tensor.zero_()
        assert index.search(torch.eye(3), 1)[1].ravel().tolist() == [0, 1, 2]
    assert index.search(torch.eye(3), 1)[1].ravel().tolist() == [0, 1, 2]


def test_pickle_and_deepcopy_keep_the_answers_and_not_the_storage(references: np.ndarray):
    big = torch.zeros(10_000, 5)
    big[:30] = torch.from_numpy(references)
    index = rote.Index(big[:30], metric="ip")
    data = pickle.dumps(index)
    assert len(data) < 10_000
    for twin in (pickle.loads(data), copy.deepcopy(index)):
        assert twin.metric == "ip"
        np.testing.assert_array_equal(twin.search(references, 5)[1], index.search(references, 5)[1])
        twin.references += 1
        with pytest.raises(RuntimeError, match="changed in place"):
            twin.search(references, 5)
    index.search(references, 5)


def test_to_moves_the_references(references: np.ndarray):
    index = rote.Index(references)
    assert index.to("cpu") is index
    moved = index.to("meta")
    assert moved.device == torch.device("meta")
    assert index.device == torch.device("cpu")
    with pytest.raises(ValueError, match="same device; got queries on cpu and references on meta"):
        moved.search(references, 1)


def test_it_says_what_it_holds(references: np.ndarray):
    index = rote.Index(references, metric="cosine")
    assert len(index) == 30
    assert index.dtype == torch.float32
    assert repr(index) == "Index(float32 [30, 5] on cpu, metric='cosine')"


def test_bad_arguments_are_named(references: np.ndarray):
    with pytest.raises(ValueError, match=r"metric must be one of .*; got 'l1'"):
        rote.Index(references, metric="l1")
    with pytest.raises(TypeError, match=r"references must be .*; got int64"):
        rote.Index(references.astype(int))
    with pytest.raises(ValueError, match=r"number of references, 30; got 31"):
        rote.Index(references).search(references, 31)


def test_search_compiles_into_one_graph(references: np.ndarray):
    index = rote.Index(references)
    compiled = torch.compile(lambda q, e: index.search(q, 2, exclude=e), fullgraph=True, backend="aot_eager")
    queries, exclude = torch.from_numpy(references[:6]), torch.tensor([0, -1, 2, 3, 4, 5])
    for found, expected in zip(compiled(queries, exclude), index.search(queries, 2, exclude=exclude), strict=True):
        assert torch.equal(found, expected)
