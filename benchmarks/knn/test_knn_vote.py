"""The fused vote beside its peers: class scores of every query, several k from one pass, all in one process.

"search + torch vote" is Rote's own search with neighbours written out and voted on in torch; "torch mm + topk + vote"
is the loop of DINO's eval_knn.py; scikit-learn serves one k a call, so it is asked for the largest alone.
"""

from __future__ import annotations

import pytest
import torch

from benchmarks.knn.test_knn_search import collapsed
from rote.ops.knn import knn_search
from rote.ops.vote import knn_vote, knn_vote_winners

TEMPERATURE = 0.07

# queries, references, width, numbers of neighbours, classes, weights
CASES = {
    "2k x 50k x 512, k=1,5,20, 10 classes, uniform": (2000, 50_000, 512, [1, 5, 20], 10, "uniform"),
    "2k x 50k x 512, k=10,20,100,200, 10 classes, softmax": (2000, 50_000, 512, [10, 20, 100, 200], 10, "softmax"),
    "2k x 50k x 128, k=20, 1000 classes, distance": (2000, 50_000, 128, [20], 1000, "distance"),
    "5k x 20k x 16, k=200, 10 classes, softmax": (5000, 20_000, 16, [200], 10, "softmax"),
}


def torch_votes(distances: torch.Tensor, indices: torch.Tensor, labels, ks, num_classes, weights) -> list[torch.Tensor]:
    """The scores as people write them: one scatter_add for each k."""
    classes = labels[indices]
    if weights == "uniform":
        votes = torch.ones_like(distances)
    elif weights == "distance":
        votes = 1 / distances
    else:
        votes = ((1 - distances) / TEMPERATURE).exp()
    zeros = distances.new_zeros(distances.shape[0], num_classes)
    return [zeros.scatter_add(1, classes[:, :k], votes[:, :k]) for k in ks]


def peers(queries, references, labels, ks, num_classes, weights) -> dict:
    def search_then_vote():
        return torch_votes(*knn_search(queries, references, ks[-1], "cosine"), labels, ks, num_classes, weights)

    def torch_alone():
        units = [torch.nn.functional.normalize(x) for x in (queries, references)]
        similarity, indices = (units[0] @ units[1].T).topk(ks[-1])
        return torch_votes(1 - similarity, indices, labels, ks, num_classes, weights)

    contenders = {"search + torch vote": search_then_vote, "torch mm + topk + vote": torch_alone}
    if queries.device.type != "cpu" or weights == "softmax":
        return contenders
    try:
        from sklearn.neighbors import KNeighborsClassifier
    except ImportError:
        return contenders
    model = KNeighborsClassifier(ks[-1], metric="cosine", weights=weights, algorithm="brute")
    model.fit(references.numpy(), labels.numpy())
    contenders["scikit-learn"] = lambda: model.predict_proba(queries.numpy())
    return contenders


def clusters(rows: int, count: int, dim: int, num_classes: int, device: str) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    queries, references = (collapsed(n, dim, generator, 0.5) for n in (rows, count))
    labels = torch.randint(0, num_classes, (count,), generator=generator)
    return queries.to(device), references.to(device), labels.to(device)


@pytest.mark.parametrize("case", CASES)
def test_scores(race, device, quick, case):
    rows, count, dim, ks, num_classes, weights = CASES[case]
    if quick:
        rows, count = 50, 2000
    queries, references, labels = clusters(rows, count, dim, num_classes, device)
    race(
        lambda: knn_vote(queries, references, labels, num_classes, ks, "cosine", weights, TEMPERATURE),
        peers(queries, references, labels, ks, num_classes, weights),
        work=rows / 1e3,
        unit="k queries/s",
    )


@pytest.mark.parametrize("classes", [10, 10_000], ids="5k x 5k x 64, k=20, leave-one-out, {} classes".format)
def test_leave_one_out(race, device, quick, classes):
    rows = 500 if quick else 5000
    x, _, labels = clusters(rows, rows, 64, classes, device)
    own = torch.arange(rows, device=device)

    def search_then_vote():
        distances, indices = knn_search(x, x, 20, "cosine", exclude=own)
        return torch_votes(distances, indices, labels, [20], classes, "uniform")[0].argmax(1)

    race(
        lambda: knn_vote_winners(x, x, labels, classes, [20], "cosine", exclude=own),
        {"search + torch vote": search_then_vote},
        work=rows / 1e3,
        unit="k queries/s",
    )
