"""cleanlab's Datalab: what `find_issues` takes, with a k-NN graph by our exact search, and the issues it found.

    inputs = exchange.datalab_inputs(embeddings, labels, probabilities)
    lab = cleanlab.Datalab({"label": inputs.labels}, label_name="label")
    lab.find_issues(**inputs.arguments())

The graph is a square scipy CSR matrix of distances, k in every row, nearest first, zeros of duplicates stored and no
example its own neighbour, as Datalab's documentation asks for.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rote.extras import wanted_for
from rote.metrics.exchange.errors import ExchangeError
from rote.runs.whole_files import write_with

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: cleanlab's own number of neighbours.
NEIGHBORS = 10
#: cleanlab compares by cosine above so many features and by Euclidean distance up to it.
_EUCLIDEAN_UP_TO = 3


@dataclass(frozen=True)
class DatalabInputs:
    """What Datalab works on.

    Attributes:
        labels: int64 [N].
        features: float [N, d].
        pred_probs: float64 [N, C], out-of-sample probabilities; None where there are none.
        knn_graph: CSR [N, N] of distances.
    """

    labels: np.ndarray
    features: np.ndarray
    pred_probs: np.ndarray | None
    knn_graph: csr_matrix

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of `Datalab.find_issues`."""
        found = {"pred_probs": self.pred_probs, "features": self.features, "knn_graph": self.knn_graph}
        return {name: value for name, value in found.items() if value is not None}


def datalab_inputs(
    embeddings: Any, labels: Any, probabilities: Any = None, *, k: int = NEIGHBORS, metric: str | None = None
) -> DatalabInputs:
    """Inputs of Datalab from embeddings, labels and, for label issues, probabilities.

    Args:
        embeddings: float [N, d], N > k, finite.
        labels: int [N] in [0, C).
        probabilities: float [N, C], rows that add up to 1, given by models that did not train on the row's example.
        k: neighbours of each example; Datalab's own is 10.
        metric: "cosine" or "l2"; None is what Datalab takes, cosine above three features.

    Raises:
        ValueError: shapes, labels, k or numbers that do not fit.
    """
    features, own = _host(embeddings), _host(labels)
    given = None if probabilities is None else _host(probabilities).astype(np.float64)
    if problem := _wrong(own, features, given):
        raise ValueError(problem)
    if not 1 <= k <= len(own) - 1:
        raise ValueError(f"k must lie between 1 and the number of other examples, {len(own) - 1}; got {k}")
    metric = ("cosine" if features.shape[1] > _EUCLIDEAN_UP_TO else "l2") if metric is None else metric
    from rote.neighbors import NearestNeighbors  # loads scikit-learn

    graph = NearestNeighbors(n_neighbors=k, metric=metric).fit(features).kneighbors_graph(mode="distance")
    return DatalabInputs(own.astype(np.int64), features, given, graph)


def write_datalab(folder: Path | str, inputs: DatalabInputs) -> Path:
    """Writes labels.npy, features.npy, pred_probs.npy and knn_graph.npz (scipy's `save_npz`)."""
    with wanted_for("a graph of neighbours"):
        from scipy.sparse import save_npz

    folder = Path(folder)
    for name in ("labels", "features", "pred_probs"):
        array = getattr(inputs, name)
        if array is not None:
            write_with(folder / f"{name}.npy", lambda file, array=array: np.save(file, array, allow_pickle=False))
    write_with(folder / "knn_graph.npz", lambda file: save_npz(file, inputs.knn_graph))
    return folder


def read_datalab(folder: Path | str) -> DatalabInputs:
    """Reads what `write_datalab`, or other code with these names, wrote.

    Raises:
        FileNotFoundError: labels.npy, features.npy or knn_graph.npz is not there.
        ExchangeError: a file that is not what it should be, or a graph that Datalab would not take.
    """
    with wanted_for("a graph of neighbours"):
        from scipy.sparse import load_npz

    folder = Path(folder)
    labels, features = (_array(folder / f"{name}.npy") for name in ("labels", "features"))
    given = _array(folder / "pred_probs.npy") if (folder / "pred_probs.npy").exists() else None
    path = folder / "knn_graph.npz"
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    try:
        graph = load_npz(path)
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ExchangeError(f"{path}: not a sparse matrix of scipy: {error}") from None
    if problem := _wrong(labels, features, given):
        raise ExchangeError(f"{folder}: {problem}")
    if problem := _wrong_graph(graph, len(labels)):
        raise ExchangeError(f"{path}: {problem}")
    return DatalabInputs(labels.astype(np.int64), features, given, graph)


def issue_columns(
    issues: Any, kinds: tuple[str, ...] = ("label", "outlier", "near_duplicate")
) -> dict[str, np.ndarray]:
    """Scores for our tables from `Datalab.get_issues()`.

    Args:
        issues: its table (a pandas DataFrame), or a mapping of columns.
        kinds: kinds of issues to take where they are there.

    Returns:
        {"cleanlab_<kind>_score": float64 [N], "cleanlab_<kind>_issue": bool [N]}; a low score is suspicious, as there.

    Raises:
        ValueError: none of the kinds is there, or columns that are no such scores.
    """
    columns = {str(name): np.asarray(issues[name]) for name in issues}
    found = {}
    for kind in kinds:
        score, flag = columns.get(f"{kind}_score"), columns.get(f"is_{kind}_issue")
        if score is None or flag is None:
            continue
        if score.dtype.kind not in "fiu" or flag.dtype.kind != "b":
            raise ValueError(f"issues must hold numbers in {kind}_score and truth values in is_{kind}_issue")
        found[f"cleanlab_{kind}_score"], found[f"cleanlab_{kind}_issue"] = score.astype(np.float64), flag
    if not found:
        raise ValueError(
            f"issues must hold the scores of one of {', '.join(kinds)}; has {', '.join(columns) or 'none'}"
        )
    return found


def _host(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _wrong(labels: np.ndarray, features: np.ndarray, given: np.ndarray | None) -> str | None:
    """What is wrong with the arrays, in words."""
    if features.ndim != 2 or features.dtype.kind != "f" or not np.isfinite(features).all():
        return f"features must be finite float [N, d]; got {features.dtype} {list(features.shape)}"
    if labels.dtype.kind not in "iu" or labels.shape != features.shape[:1]:
        return f"labels must be int [{len(features)}]; got {labels.dtype} {list(labels.shape)}"
    if len(labels) and labels.min() < 0:
        return f"labels must be at least 0; got {labels.min()}"
    if given is None:
        return None
    if given.ndim != 2 or given.dtype.kind != "f" or len(given) != len(labels):
        return f"pred_probs must be float [{len(labels)}, C]; got {given.dtype} {list(given.shape)}"
    if len(labels) and labels.max() >= given.shape[1]:
        return f"labels must lie in [0, {given.shape[1]}), the classes of pred_probs; got {labels.max()}"
    sums = given.sum(1)
    if not (np.isfinite(given).all() and (given >= 0).all() and np.allclose(sums, 1.0, atol=1e-3)):
        return "pred_probs must be probabilities: no negative number, rows that add up to 1"
    return None


def _wrong_graph(graph: Any, count: int) -> str | None:
    if graph.format != "csr" or graph.shape != (count, count):
        return f"wanted a CSR matrix [{count}, {count}]; got {graph.format} {list(graph.shape)}"
    sizes = np.diff(graph.indptr)
    if count and (sizes[0] == 0 or (sizes != sizes[0]).any()):
        return f"wanted the same number of neighbours in every row; got {sizes.min()} to {sizes.max()}"
    rows = np.repeat(np.arange(count), sizes)
    if (graph.indices == rows).any():
        return f"example {rows[(graph.indices == rows).argmax()]} is its own neighbour"
    distances = graph.data.reshape(count, -1)
    if not np.isfinite(distances).all() or (distances < 0).any() or (np.diff(distances, axis=1) < 0).any():
        return "the distances of every row must be finite, at least 0 and in increasing order"
    return None


def _array(path: Path) -> np.ndarray:
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ExchangeError(f"{path}: not a plain numpy array: {error}") from None
