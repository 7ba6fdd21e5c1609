"""rote::knn_search beside its peers, all on the same float32 data in one process. Work is 2 Q N d operations.

Peers return what they return: torch and faiss select in float32, only Rote and scikit-learn (float64 inside) are exact.
"""

from __future__ import annotations

import pytest
import torch

from rote.ops.knn import knn_search

# queries, references, width, k, metric
CASES = {
    "2k x 50k x 512, k=20": (2000, 50_000, 512, 20, "l2"),
    "2k x 50k x 128, k=20": (2000, 50_000, 128, 20, "l2"),
    "1k x 50k x 64, k=10": (1000, 50_000, 64, 10, "l2"),
    "500 x 50k x 2048, k=20": (500, 50_000, 2048, 20, "l2"),
    "1k x 50k x 512, k=200": (1000, 50_000, 512, 200, "l2"),
    "1k x 50k x 512, k=20, cosine": (1000, 50_000, 512, 20, "cosine"),
    "1 x 100k x 128, k=20": (1, 100_000, 128, 20, "l2"),
    "16 x 100k x 128, k=20": (16, 100_000, 128, 20, "l2"),
    "16 x 50k x 512, k=20": (16, 50_000, 512, 20, "l2"),
}


def collapsed(count: int, dim: int, generator: torch.Generator, spread: float) -> torch.Tensor:
    """Embeddings of a trained classifier: ten class means and a little noise."""
    means = torch.randn(10, dim, generator=torch.Generator().manual_seed(1))
    labels = torch.randint(0, 10, (count,), generator=generator)
    return means[labels] + spread * torch.randn(count, dim, generator=generator)


def torch_topk(queries: torch.Tensor, references: torch.Tensor, k: int, metric: str):
    """What people write: one matrix product and topk, the whole Q x N matrix in memory."""
    if metric == "cosine":
        queries, references = (torch.nn.functional.normalize(x) for x in (queries, references))
        return (queries @ references.T).topk(k)
    squares = (references * references).sum(1)
    return torch.addmm(squares, queries, references.T, alpha=-2).topk(k, largest=False)


def peers(queries: torch.Tensor, references: torch.Tensor, k: int, metric: str) -> dict:
    contenders = {"torch mm + topk": lambda: torch_topk(queries, references, k, metric)}
    if queries.device.type != "cpu":
        return contenders
    q, r = queries.numpy(), references.numpy()
    try:
        import faiss
    except ImportError:
        pass
    else:
        faiss.omp_set_num_threads(torch.get_num_threads())

        def faiss_knn():
            if metric == "l2":
                return faiss.knn(q, r, k)
            unit_q, unit_r = q.copy(), r.copy()
            faiss.normalize_L2(unit_q)
            faiss.normalize_L2(unit_r)
            return faiss.knn(unit_q, unit_r, k, metric=faiss.METRIC_INNER_PRODUCT)

        contenders["faiss-cpu"] = faiss_knn
    try:
        from sklearn.neighbors import NearestNeighbors
    except ImportError:
        pass
    else:
        theirs = "euclidean" if metric == "l2" else metric
        model = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=theirs).fit(r)
        contenders["scikit-learn"] = lambda: model.kneighbors(q)
    return contenders


def run(race, device: str, queries: torch.Tensor, references: torch.Tensor, k: int, metric: str) -> None:
    queries, references = queries.to(device), references.to(device)
    work = 2 * queries.shape[0] * references.shape[0] * queries.shape[1] / 1e9
    race(
        lambda: knn_search(queries, references, k, metric),
        peers(queries, references, k, metric),
        work=work,
        unit="GFLOP/s",
    )


@pytest.mark.parametrize("case", CASES)
def test_gaussian(race, device, quick, case):
    rows, count, dim, k, metric = CASES[case]
    if quick:
        rows, count = min(rows, 50), 2000
    generator = torch.Generator().manual_seed(0)
    run(
        race,
        device,
        torch.randn(rows, dim, generator=generator),
        torch.randn(count, dim, generator=generator),
        k,
        metric,
    )


@pytest.mark.parametrize("spread", [0.3, 0.03, 0.003], ids="500 x 50k x 256, k=20, ten classes of spread {}".format)
def test_collapsed_classes(race, device, quick, spread):
    rows, count = (50, 2000) if quick else (500, 50_000)
    generator = torch.Generator().manual_seed(0)
    queries, references = (collapsed(n, 256, generator, spread) for n in (rows, count))
    run(race, device, queries, references, 20, "l2")
