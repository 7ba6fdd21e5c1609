"""Who may be whose neighbour: exclusion, groups, mask, rows that are not finite, and the tail they leave."""

from __future__ import annotations

import pytest
import torch

from rote.ops import knn as ops

from .knn_executors import METRICS, assert_exact, assert_same_bits, generator


def test_excluded_index_and_groups_never_appear():
    x = torch.randn(400, 16, generator=generator(1))
    groups = torch.arange(400) // 8
    self_excluded = ops.knn_search(x, x, 5, exclude=torch.arange(400))[1]
    assert not (self_excluded == torch.arange(400)[:, None]).any()
    _, other = ops.knn_search(x, x, 5, query_groups=groups, reference_groups=groups)
    assert not (groups[other] == groups[:, None]).any()
    masked = ops.knn_search(x, x, 5, mask=groups % 2 == 0)[1]
    assert (groups[masked] % 2 == 0).all()


def test_excluding_self_keeps_duplicates_of_it():
    x = torch.randn(60, 5, generator=generator(2)).repeat(2, 1)
    distances, indices = ops.knn_search(x, x, 1, exclude=torch.arange(120))
    assert torch.equal(indices[:, 0], (torch.arange(120) + 60) % 120)
    assert (distances == 0).all()


def test_exclude_minus_one_and_out_of_range_exclude_nothing():
    x = torch.randn(60, 4, generator=generator(3))
    plain = ops.knn_search(x, x, 3)
    assert_same_bits(ops.knn_search(x, x, 3, exclude=torch.full((60,), -1)), plain)
    assert_same_bits(ops.knn_search(x, x, 3, exclude=torch.full((60,), 10**12)), plain)


def test_groups_are_any_int64():
    x = torch.randn(50, 4, generator=generator(4))
    small = torch.arange(50) % 4
    wide = torch.tensor([-(2**63), -1, 2**32, 2**63 - 1])[small]
    plain = ops.knn_search(x, x, 5, query_groups=small, reference_groups=small)
    assert_same_bits(ops.knn_search(x, x, 5, query_groups=wide, reference_groups=wide), plain)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rows", [1, 6])
def test_tail_when_too_few_are_admissible(metric, rows):
    references = torch.randn(50, 6, generator=generator(5))
    mask = torch.zeros(50, dtype=torch.bool)
    mask[[4, 17, 31]] = True
    distances, indices = ops.knn_search(references[:rows], references, 5, metric, mask=mask)
    assert set(indices[0, :3].tolist()) == {4, 17, 31}
    assert (indices[:, 3:] == -1).all()
    assert (distances[:, 3:] == (-torch.inf if metric == "ip" else torch.inf)).all()
    keys, _ = torch.ops.rote.knn_search_keys(references[:rows], references, 5, metric, mask=mask)
    assert (keys[:, 3:] == torch.inf).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_rows_with_nan_or_inf(metric, dtype, bad):
    references = torch.randn(200, 11, generator=generator(6)).to(dtype)
    queries = references[:9].clone() + 1
    queries[4, 10] = bad
    references[::3, 2] = bad
    assert_exact(queries, references, 7, metrics=(metric,))
    for rows in (queries, queries[4:5]):
        distances, indices = ops.knn_search(rows, references, 7, metric)
        assert not (indices % 3 == 0).any()
        assert (indices == -1).all(1).sum() == 1
        assert distances.isnan().all(1).sum() == 1


@pytest.mark.parametrize("place", [0, 10, 127, 128, 199])
def test_a_bad_row_hidden_by_the_mask_changes_nothing(place):
    references = torch.randn(200, 9, generator=generator(7))
    mask = torch.arange(200) != place
    wanted = ops.knn_search(references[:20], references, 5, mask=mask)
    spoiled = references.clone()
    spoiled[place] = torch.nan
    assert_same_bits(ops.knn_search(references[:20], spoiled, 5, mask=mask), wanted)
    assert_same_bits(ops.knn_search(references[:20], spoiled, 5), wanted)


@pytest.mark.parametrize("rows", [1, 4, 40])
def test_all_references_inadmissible(rows):
    references = torch.full((30, 3), float("nan"))
    hidden = torch.zeros(30, dtype=torch.bool)
    for given in ({"references": references}, {"references": torch.ones(30, 3), "mask": hidden}):
        distances, indices = ops.knn_search(torch.zeros(rows, 3), k=2, **given)
        assert (indices == -1).all()
        assert (distances == torch.inf).all()


def test_only_one_reference_is_left_for_each_query():
    """A threshold must never come from a pair that may not be returned."""
    x = torch.randn(3000, 8, generator=generator(8))
    query_groups, reference_groups = torch.zeros(40, dtype=torch.int64), torch.zeros(3000, dtype=torch.int64)
    reference_groups[2999] = 1
    far = x.clone()
    far[2999] = 1e6
    assert_exact(x[:40], far, 5, query_groups=query_groups, reference_groups=reference_groups)
    _, indices = ops.knn_search(x[:40], far, 5, query_groups=query_groups, reference_groups=reference_groups)
    assert (indices == torch.tensor([2999, -1, -1, -1, -1])).all()
