"""`rote.distributed_knn` in two processes over gloo: the bits of one process, and no rank left waiting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.distributed as dist

import rote
from rote.neighbors.ranks import Ranks

from . import oracle, ranks


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, saved_by_two_ranks) -> list[dict]:
    """What both ranks found, by rank."""
    return saved_by_two_ranks(ranks.__file__, tmp_path_factory.mktemp("ranks"))


def assert_same(found, expected):
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize("metric", ranks.METRICS)
@pytest.mark.parametrize("cut", ranks.CUTS)
@pytest.mark.parametrize("restricted", ["free", "restricted"])
def test_two_ranks_give_the_bits_of_one_process(saved, metric: str, cut: str, restricted: str):
    options = ranks.restrictions() if restricted == "restricted" else {}
    whole = rote.knn(ranks.queries(), ranks.references(), ranks.K, metric, **options)
    assert_same(whole, oracle.knn(ranks.queries(), ranks.references(), ranks.K, metric, **options))
    for rank in range(2):
        found = saved[rank]["results"]
        assert_same(found[f"{metric} {cut} {restricted} replicated"], whole)
        mine = [ranks.share(part, ranks.QUERIES, rank) for part in whole]
        own = found[f"{metric} {cut} {restricted} own"]
        assert isinstance(own[0], np.ndarray)
        assert_same(own, mine)


@pytest.mark.parametrize("cut", ranks.CUTS)
def test_self_is_excluded_by_its_number_in_the_whole(saved, cut: str):
    x = ranks.references()
    whole = rote.knn(x, x, 7, exclude="self")
    for rank in range(2):
        assert_same(saved[rank]["results"][f"self {cut} replicated"], whole)
        mine = [ranks.share(part, ranks.CUTS[cut], rank) for part in whole]
        assert_same(saved[rank]["results"][f"self {cut} own"], mine)


def test_torch_and_mixed_dtypes(saved):
    x, q = torch.from_numpy(ranks.references()).bfloat16(), torch.from_numpy(ranks.queries()).double()
    for rank in range(2):
        found = saved[rank]["results"]["bfloat16 torch"]
        assert isinstance(found[0], torch.Tensor)
        assert_same(found, rote.knn(q[rank::2], x, 5))


def test_a_subgroup_is_a_world_of_its_own(saved):
    for rank in range(2):
        shard = ranks.share(ranks.references(), ranks.CUTS["unequal"], rank)
        assert_same(saved[rank]["results"]["alone"], rote.knn(shard, shard, 7))
        kind, message = saved[rank]["errors"]["not a member"]
        assert kind == "RuntimeError"
        assert "must be a member of process_group" in message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("k differs", "k must be the same on every rank; got 3 on rank 0, 4 on rank 1"),
        ("metric differs", "metric must be the same on every rank; got l2 on rank 0, ip on rank 1"),
        ("columns differ", "the number of columns d must be the same on every rank; got 4 on rank 0, 5 on rank 1"),
        ("k too large", "k must lie between 1 and the number of references, 60; got 61"),
        ("exclude too large", "exclude must hold numbers of references in [0, 60), or -1 for none; got 60 on rank 1"),
        ("groups on one", "whether groups are given must be the same on every rank; got False on rank 0, True"),
        ("self of others", "that are the same rows; got 23 queries and 37 references on rank 0"),
        ("replicated on one", "replicated_queries must be the same on every rank; got False on rank 0, True on rank 1"),
        ("replicated of other length", "the number of queries must be the same on every rank; got 9 on rank 0, 4"),
        ("replicated of other content", "the content of queries must be the same on every rank"),
        ("replicated, self", "the content of queries must be the same on every rank"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_together_raise_on_both_ranks(saved, name: str, message: str):
    for rank in range(2):
        kind, text = saved[rank]["errors"][name]
        assert kind == "ValueError"
        assert message in text


def test_the_mistake_of_one_rank_is_told_to_the_other(saved):
    (kind_0, text_0), (kind_1, text_1) = (saved[rank]["errors"]["one refuses"] for rank in range(2))
    assert kind_0 == "TypeError"
    assert "queries must be float64" in text_0
    assert kind_1 == "RuntimeError"
    assert text_1 == f"rank 0 of process_group refused its arguments: TypeError: {text_0}"


def test_it_needs_a_process_group():
    with pytest.raises(RuntimeError, match=r"torch.distributed must be initialized"):
        rote.distributed_knn(np.zeros((2, 1)), np.zeros((2, 1)), 1)


@pytest.fixture
def alone():
    """A world of one rank in this process."""
    dist.init_process_group("gloo", rank=0, world_size=1, store=dist.HashStore())
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize(
    ("backends", "device", "wire"),
    [
        ("cpu:gloo,cuda:gloo", "cuda:0", "cpu"),
        ("cpu:gloo,cuda:nccl", "cuda:0", "cuda:0"),
        ("cpu:gloo,cuda:nccl", "cpu", "cpu"),
        ("cuda:nccl", "cuda:0", "cuda:0"),
        ("cpu:mpi", "cpu", "cpu"),
    ],
)
def test_tensors_travel_where_a_backend_carries_them(alone, monkeypatch, backends: str, device: str, wire: str):
    monkeypatch.setattr(dist, "get_backend_config", lambda group: backends)
    assert Ranks().wire_device(torch.device(device)) == torch.device(wire)


def test_a_device_that_no_backend_carries_is_named(alone, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dist, "get_backend_config", lambda group: "cuda:nccl")
    with pytest.raises(ValueError, match=r"queries must be on a device of process_group, one of cuda; got cpu"):
        rote.distributed_knn(np.zeros((2, 1)), np.zeros((2, 1)), 1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("replicated", [False, True])
def test_cuda_tensors_by_way_of_the_host(alone, replicated: bool):
    x, groups = torch.randn(300, 20), torch.arange(300) % 7
    found = rote.distributed_knn(
        x.cuda(), x.cuda(), 9, exclude="self", groups=(groups.cuda(), groups.cuda()), replicated_queries=replicated
    )
    assert found[0].is_cuda
    assert_same([part.cpu() for part in found], rote.knn(x, x, 9, exclude="self", groups=(groups, groups)))
