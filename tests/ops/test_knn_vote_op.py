"""`rote::knn_vote` and `rote::knn_vote_winners`: executors agree to the bit, and torch can trace them."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from rote import _native
from rote.ops import knn as knn_ops
from rote.ops import vote as ops

PAIRS = [pair for pair in itertools.product(knn_ops.METRIC_CODES, ops.WEIGHT_CODES) if pair != ("ip", "distance")]
KS = [1, 3, 40]
CLASSES = 6


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def problem(rows: int, count: int, dim: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Queries, references and labels: duplicates at distance 0, a query and a reference that are not finite."""
    queries = torch.randn(rows, dim, generator=generator(1)).to(dtype)
    references = torch.randn(count, dim, generator=generator(2)).to(dtype)
    references[7] = queries[0]
    queries[1, 0], references[5, -1] = float("nan"), float("inf")
    return queries, references, torch.randint(0, CLASSES, (count,), generator=generator(3))


def options_for(rows: int, count: int) -> dict[str, torch.Tensor]:
    return {
        "exclude": torch.randint(-1, count, (rows,), generator=generator(4)),
        "query_groups": torch.randint(0, 3, (rows,), generator=generator(5)),
        "reference_groups": torch.randint(0, 3, (count,), generator=generator(6)),
        "mask": torch.rand(count, generator=generator(7)) < 0.7,
    }


def outputs(queries: torch.Tensor, ks: list[int] = KS, num_classes: int = CLASSES) -> tuple[torch.Tensor, ...]:
    return ops._allocate_scores(queries, num_classes, ks), ops._allocate_winners(queries, num_classes, ks)


def votes_of_keys(queries, references, labels, ks, metric, weights, temperature, **options) -> torch.Tensor:
    """The sums in plain Python, from the keys that the search writes out."""
    keys, indices = torch.ops.rote.knn_search_keys(queries, references, ks[-1], metric, **options)
    # math.sqrt rounds correctly; torch.sqrt by MKL need not.
    distance = {"l2": math.sqrt, "cosine": lambda key: 1 + key}.get(metric, lambda key: key)
    sums = torch.zeros(len(ks), queries.shape[0], CLASSES, dtype=torch.float64)
    for (level, k), row in itertools.product(enumerate(ks), range(queries.shape[0])):
        for rank in range(k):
            if indices[row, rank] < 0:
                break
            ahead, own = distance(keys[row, 0].item()), distance(keys[row, rank].item())
            weight = {
                "uniform": lambda own, ahead: 1.0,
                "distance": lambda own, ahead: float(own == 0) if ahead == 0 else 1 / own,
                "softmax": lambda own, ahead: math.exp((ahead - own) / temperature),
            }[weights](own, ahead)
            sums[level, row, labels[indices[row, rank]]] += weight
    return sums


@pytest.mark.parametrize(("metric", "weights"), PAIRS)
def test_scores_are_sums_over_the_keys_and_every_level_has_the_bits_of_the_reference(metric, weights, level):
    for rows, count, options in ((2, 3000, {}), (30, 200, {}), (30, 200, options_for(30, 200))):
        queries, references, labels = problem(rows, count, 9)
        arguments = (queries, references, labels, CLASSES, KS, metric, weights, 0.3)
        wanted = outputs(queries)
        restrictions = tuple(options.get(name) for name in ("exclude", "query_groups", "reference_groups", "mask"))
        for output in wanted:
            search, vote, keep = ops._native_vote(*arguments, restrictions, output)
            _native.knn_vote_reference(search, vote)
            del keep
        got = outputs(queries)
        for output in got:
            ops.vote_cpu(*arguments, output, level=level, **options)
        assert torch.equal(got[0], wanted[0])
        assert torch.equal(got[1], wanted[1])
        assert torch.equal(ops.knn_vote(*arguments, **options), wanted[0])
        assert torch.equal(ops.knn_vote_winners(*arguments, **options), wanted[1])
        by_hand = votes_of_keys(queries, references, labels, KS, metric, weights, 0.3, **options)
        torch.testing.assert_close(wanted[0], by_hand, rtol=1e-14 if weights == "softmax" else 0, atol=0)
        most, winner = wanted[0].max(2)
        assert torch.equal(wanted[1], torch.where(most > 0, winner, -1))
        assert (wanted[1][:, 1] == -1).all()


def test_every_path_leaves_one_out_with_the_same_bits():
    x, labels = torch.randn(700, 12, generator=generator(8)), torch.randint(0, CLASSES, (700,), generator=generator(9))
    found = {}
    for path in ("auto", "int16", "float32", "float64"):
        (found[path], _) = outputs(x)
        options = {"exclude": torch.arange(700), "path": path}
        ops.vote_cpu(x, x, labels, CLASSES, KS, "cosine", "softmax", 0.07, found[path], **options)
    assert all(torch.equal(scores, found["float64"]) for scores in found.values())


@pytest.mark.parametrize("dtype", knn_ops.FLOAT_DTYPES)
def test_opcheck(dtype):
    queries, references, labels = problem(9, 60, 8, dtype)
    arguments = (queries, references, labels, CLASSES, KS, "l2", "distance", 0.07)
    for operator in (torch.ops.rote.knn_vote, torch.ops.rote.knn_vote_winners):
        torch.library.opcheck(operator, arguments)
        torch.library.opcheck(operator, arguments, options_for(9, 60))
        torch.library.opcheck(operator, (queries[::2], references.T.contiguous().T, labels.flip(0), *arguments[3:]))


def test_fake_tensors_have_the_shapes():
    with FakeTensorMode():
        arguments = (torch.empty(4, 3), torch.empty(9, 3), torch.empty(9, dtype=torch.int64), 5, [2, 9])
        scores, winners = ops.knn_vote(*arguments), ops.knn_vote_winners(*arguments)
    assert (scores.shape, scores.dtype) == ((2, 4, 5), torch.float64)
    assert (winners.shape, winners.dtype) == ((2, 4), torch.int64)


def test_no_queries():
    arguments = (torch.empty(0, 4), torch.zeros(3, 4), torch.arange(3), 3, [2])
    assert ops.knn_vote(*arguments).shape == (1, 0, 3)
    assert ops.knn_vote_winners(*arguments).shape == (1, 0)


X, LABELS = torch.zeros(6, 4), torch.arange(6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ks": []}, ValueError, "ks: wanted at least one number of neighbours, got none"),
        ({"ks": [0, 2]}, ValueError, "ks: wanted at least 1, got 0"),
        ({"ks": [2, 2]}, ValueError, "ks: wanted increasing numbers of neighbours, got 2 after 2"),
        ({"ks": [1, 7]}, ValueError, "k: wanted at most the 6 references, got 7"),
        ({"labels": LABELS.int()}, TypeError, "labels: wanted torch.int64, got torch.int32"),
        ({"labels": LABELS[:5]}, ValueError, r"labels: wanted shape \(6,\), got \(5,\)"),
        ({"labels": LABELS - 1}, ValueError, r"labels: wanted classes in \[0, 6\), got -1 for reference 0"),
        ({"num_classes": 5}, ValueError, r"labels: wanted classes in \[0, 5\), got 5 for reference 5"),
        ({"num_classes": 0}, ValueError, "num_classes: wanted at least 1, got 0"),
        ({"weights": "rank"}, ValueError, "weights: wanted one of uniform, distance, softmax, got 'rank'"),
        ({"weights": "distance", "metric": "ip"}, ValueError, "weights: 'distance' needs a distance, got .* 'ip'"),
        ({"temperature": 0.0}, ValueError, "temperature: wanted positive and finite, got 0.0"),
        ({"temperature": math.nan}, ValueError, "temperature: wanted positive and finite, got nan"),
        ({"metric": "l1"}, ValueError, "metric: wanted one of l2, .* got 'l1'"),
        ({"queries": X.int()}, TypeError, "queries: wanted float64, .* got torch.int32"),
    ],
)
@pytest.mark.parametrize("function", [ops.knn_vote, ops.knn_vote_winners])
def test_errors_name_the_argument(function, change, error, message):
    arguments = {"queries": X, "references": X, "labels": LABELS, "num_classes": 6, "ks": [1, 2], "metric": "l2"}
    with pytest.raises(error, match=message):
        function(**{**arguments, **change})


@pytest.mark.skipif(_native.build_info()["cuda"], reason="this build has CUDA")
def test_a_build_without_cuda_says_so():
    with pytest.raises(RuntimeError, match="built without CUDA"):
        _native.knn_vote_workspace_bytes(1, 1, 1, 1, 1, True, "auto")


# CUDA: the same bits --------------------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
class TestCuda:
    @pytest.mark.parametrize(("metric", "weights"), PAIRS)
    @pytest.mark.parametrize(("rows", "count", "dim", "num_classes"), [(70, 900, 33, 6), (3, 200, 5, 5000)])
    def test_same_bits_as_the_cpu(self, metric, weights, rows, count, dim, num_classes):
        queries, references, labels = problem(rows, count, dim)
        labels = labels * (num_classes // CLASSES)
        for options in ({}, options_for(rows, count)):
            moved = {name: tensor.cuda() for name, tensor in options.items()}
            for function, ks in itertools.product((ops.knn_vote, ops.knn_vote_winners), (KS, list(range(1, 150)))):
                rest = (num_classes, ks, metric, weights, 0.3)
                got = function(queries.cuda(), references.cuda(), labels.cuda(), *rest, **moved)
                assert torch.equal(got.cpu(), function(queries, references, labels, *rest, **options))

    def test_blocks_of_queries(self):
        # k = 20,000 leaves 419 queries to a block: two blocks.
        queries, references, labels = problem(500, 20_000, 2)
        options = options_for(500, 20_000)
        moved = {name: tensor.cuda() for name, tensor in options.items()}
        rest = (CLASSES, [5, 20_000], "l2", "softmax", 0.3)
        for function in (ops.knn_vote, ops.knn_vote_winners):
            got = function(queries.cuda(), references.cuda(), labels.cuda(), *rest, **moved)
            assert torch.equal(got.cpu(), function(queries, references, labels, *rest, **options))

    def test_a_label_that_is_no_class_does_not_vote_or_is_an_error_on_demand(self, monkeypatch):
        queries, references, labels = problem(20, 100, 3)
        labels[10:20], labels[20:30] = -(1 << 60), 1 << 60
        arguments = (queries.cuda(), references.cuda(), labels.cuda(), CLASSES, [100])
        scores = ops.knn_vote(*arguments, "l2")
        assert scores[0, 0].sum() == 79  # without ten and ten labels, and one reference that is not finite
        assert torch.equal(ops.knn_vote_winners(*arguments, "l2")[0, 2:], scores[0, 2:].argmax(1))
        monkeypatch.setenv("ROTE_CHECK", "1")
        with pytest.raises(ValueError, match=r"labels: wanted classes in \[0, 6\), got values from -"):
            ops.knn_vote(*arguments, "l2")

    def test_captures_into_a_cuda_graph(self):
        queries, references, labels = (tensor.cuda() for tensor in problem(300, 500, 16))
        arguments = (queries, references, labels, CLASSES, KS, "cosine", "softmax")
        wanted = ops.knn_vote(*arguments)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            got = ops.knn_vote(*arguments)
        graph.replay()
        torch.cuda.synchronize()
        assert torch.equal(got, wanted)
