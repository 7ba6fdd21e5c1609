"""`rote scores label-errors --embeddings X.npy --labels y.npy [--probabilities P.npy] [--dynamics D] [--images I]`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rote.cli.arrays import read_array
from rote.cli.options import parse
from rote.cli.pictures import Pictures, open_pictures

RankedBy = Literal["suspicion", "knn_disagreement", "probability_margin", "self_confidence", "aum", "confidence"]


@dataclass(frozen=True, kw_only=True)
class LabelErrorOptions:
    """Options of `rote scores label-errors`."""

    embeddings: Path
    """What stands for the examples: float [N, d] as .npy, .npz or .parquet."""
    labels: Path
    """The labels under suspicion, int [N]: .npy, .npz or .parquet."""
    probabilities: Path | None = None
    """Class probabilities [N, C] of models that did not train on the row's example."""
    dynamics: Path | None = None
    """Training dynamics: a folder of a Recorder, of cartography or of AUM, or one of their files."""
    images: str | None = None
    """Pictures: a .npy file, a folder of pictures in the order of their paths, or digits, cifar10, folder."""
    root: Path | None = None
    """Where the data set of --images lies."""
    ids: Path | None = None
    """Number of each row in --dynamics and --images, int [N]; by default 0, 1, 2, ..."""
    true_labels: Path | None = None
    """Where they are known: what was found is measured by them."""
    k: int = 20
    """Neighbours that vote."""
    metric: Literal["cosine", "l2", "ip"] = "cosine"
    """Likeness of embeddings."""
    ranked_by: RankedBy = "suspicion"
    """Score that orders the table; suspicion is the mean place in the rankings of all evidence given."""
    show: int = 100
    """Examples on the page, each with its neighbours."""
    neighbours: int = 8
    """Neighbours beside each."""
    page_examples: int = 10000
    """At most so many examples, the most suspicious ones, on the page to sort and filter; 0 for none."""
    out: Path = Path("label-errors")
    """Folder to write to."""


def run(arguments: Sequence[str]) -> int:
    """Ranks labels by suspicion and writes table, summary and pages."""
    options = parse(
        LabelErrorOptions,
        arguments,
        prog="rote scores label-errors",
        description="Which labels of a data set are suspicious: the votes of nearest neighbours, and where given "
        "out-of-sample probabilities and training dynamics. Writes label_errors.csv, label_errors.parquet, "
        "summary.json, suspects.html and examples.html.",
    )
    find(options)
    return 0


def find(options: LabelErrorOptions) -> dict[str, Any]:
    """Does it, and returns the summary."""
    from rote.metrics.label_errors import label_errors
    from rote.neighbors import knn
    from rote.runs.whole_files import write_csv, write_json, write_parquet

    begin = time.monotonic()
    for name in ("k", "show", "neighbours"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name}: wanted at least 1, got {getattr(options, name)}")
    if options.page_examples < 0:
        raise ValueError(f"--page-examples: wanted at least 0, got {options.page_examples}")
    embeddings = read_array(options.embeddings, ("embeddings", "features", "embedding", "x"), 2)
    if embeddings.dtype not in (np.float16, np.float32, np.float64) or embeddings.shape[1] == 0:
        got = f"{embeddings.dtype} {list(embeddings.shape)}"
        raise ValueError(f"--embeddings: {options.embeddings}: wanted float16, 32 or 64 [N, d], got {got}")
    labels = _whole(options.labels, ("labels", "label", "label_used", "y"), len(embeddings))
    ids = None if options.ids is None else _whole(options.ids, ("ids", "id", "example_id"), len(embeddings))
    given = options.probabilities
    probabilities = None if given is None else read_array(given, ("probabilities", "pred_probs"), 2)
    if len(embeddings) <= options.k:
        others = max(len(embeddings) - 1, 0)
        raise ValueError(f"--k: wanted at most {others}, the other examples; got {options.k}")
    pictures = None if options.images is None else open_pictures(options.images, options.root, len(embeddings), ids)
    names = np.arange(len(embeddings)) if ids is None else ids
    trained = None
    if options.dynamics is not None:
        from rote.metrics.exchange import read_training_scores

        trained = read_training_scores(options.dynamics).aligned(names)
    found = label_errors(
        embeddings,
        labels,
        k=options.k,
        metric=options.metric,
        probabilities=probabilities,
        dynamics=None if trained is None else trained.scores,
        ranked_by=options.ranked_by,
    )
    if ids is not None:
        found.columns["id"] = ids
    true = None
    if options.true_labels is not None:
        true = _whole(options.true_labels, ("true_labels", "label_true", "labels"), len(embeddings))
        found.columns["label_true"], found.columns["is_corrupted"] = true, labels != true
    classes = () if pictures is None else pictures.classes
    ranked = found.ranked()
    options.out.mkdir(parents=True, exist_ok=True)
    write_csv(options.out / "label_errors.csv", _rows(ranked))
    write_parquet(options.out / "label_errors.parquet", ranked)
    shown = found.order[: options.show]
    beside = min(options.neighbours, len(embeddings) - 1)
    _, near = knn(embeddings, embeddings, beside, options.metric, exclude="self")
    _suspects(options, found, near, labels, shown, pictures, classes)
    if options.page_examples > 0:
        _explorer(options, found, near, pictures, classes, trained)
    summary = _summary(options, found, labels, true, classes, trained, time.monotonic() - begin)
    write_json(options.out / "summary.json", summary)
    print(_said(options, summary))
    return summary


def _whole(path: Path, names: tuple[str, ...], count: int) -> np.ndarray:
    array = read_array(path, names, 1)
    if array.dtype.kind not in "iu" or len(array) != count:
        raise ValueError(f"{path}: wanted int [{count}], one for each embedding; got {array.dtype} {list(array.shape)}")
    if array.min(initial=0) < 0 or array.max(initial=0) >= 2**63:
        raise ValueError(f"{path}: wanted numbers from 0 to 2^63 - 1; got {array.min()} to {array.max()}")
    return array.astype(np.int64)


def _rows(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    lists = {name: column.tolist() for name, column in columns.items()}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _suspects(
    options: LabelErrorOptions, found: Any, near: np.ndarray, labels: np.ndarray, shown: np.ndarray, pictures, classes
) -> None:
    from rote.report.examples import write_suspects_page

    images = None
    if pictures is not None:
        rows = np.unique(np.concatenate([shown, near[shown].ravel()]))
        rows = rows[rows >= 0]
        images = dict(zip(rows.tolist(), pictures.at(rows), strict=True))
    write_suspects_page(
        found.ranked(options.show),
        near[shown],
        labels,
        options.out / "suspects.html",
        images=images,
        classes=classes,
        about=f"The {len(shown)} most suspicious of {len(labels):,} labels, ranked by {options.ranked_by}. "
        f"Suspected are {int(found.columns['suspected'].sum()):,}: most of their {options.k} neighbours have one "
        "and the same other label.",
    )


def _explorer(options: LabelErrorOptions, found: Any, near: np.ndarray, pictures: Pictures | None, classes, trained):
    from rote.report.examples import ExampleTable, Trajectory, write_examples_page

    rows = np.sort(found.order[: options.page_examples])
    place = np.full(len(found.order), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    columns = {
        "id": rows,
        **{name: column[rows] for name, column in found.columns.items() if name not in ("row", "id")},
    }
    paths = {}
    if trained is not None and trained.dynamics is not None:
        looks = trained.dynamics.at(rows)
        epochs = np.arange(1, len(looks.loss) + 1) if looks.epochs is None else looks.epochs
        paths = {name: Trajectory(epochs, getattr(looks, name)) for name in ("loss", "margin")}
    left = "" if len(rows) == len(found.order) else f" Shown are the {len(rows):,} most suspicious of them."
    write_examples_page(
        ExampleTable(
            columns,
            paths,
            None if pictures is None else pictures.at(rows),
            place[near[rows]],
            classes,
            title="Labels under suspicion",
            about=f"{len(found.order):,} examples of {options.embeddings.name}.{left}",
        ),
        options.out / "examples.html",
    )


def _summary(options: LabelErrorOptions, found: Any, labels: np.ndarray, true, classes, trained, seconds: float):
    from rote.metrics.detection import detection
    from rote.metrics.label_errors import RANKINGS

    columns = found.columns
    suspected = columns["suspected"]
    by_label = []
    for label in np.unique(labels):
        own = labels == label
        away = columns["suggested_label"][own & suspected]
        others, votes = np.unique(away, return_counts=True)
        most = int(others[votes.argmax()]) if len(away) else None
        by_label.append(
            {
                "label": int(label),
                "name": classes[label] if label < len(classes) else str(label),
                "examples": int(own.sum()),
                "suspected": int((own & suspected).sum()),
                "most_suggested": most,
            }
        )
    summary = {
        "examples": len(labels),
        "labels": len(by_label),
        "k": options.k,
        "metric": options.metric,
        "ranked_by": options.ranked_by,
        "probabilities": options.probabilities is not None,
        "dynamics": None if trained is None else trained.source,
        "suspected": int(suspected.sum()),
        "suspected_share": float(suspected.mean()),
        "leave_one_out_accuracy": float((columns["suggested_label"] == labels).mean()),
        "without_neighbours": int(np.isnan(columns["knn_disagreement"]).sum()),
        "by_label": by_label,
        "seconds": round(seconds, 2),
    }
    if true is not None and 0 < (wrong := labels != true).sum() < len(wrong):
        summary["wrong"] = int(wrong.sum())
        for name, large in RANKINGS.items():
            if name in columns:
                measured = detection(columns[name] if large else -columns[name], wrong, suspected)
                summary[f"precision_{name}"] = measured.precision
                summary[f"average_precision_{name}"] = measured.average_precision
        summary["suspected_precision"] = measured.flagged_precision
        summary["suspected_recall"] = measured.flagged_recall
    return summary


def _said(options: LabelErrorOptions, summary: dict[str, Any]) -> str:
    text = (
        f"{summary['examples']:,} labels, {summary['suspected']:,} of them ({100 * summary['suspected_share']:.1f} %) "
        f"suspected: most of their {options.k} nearest neighbours have one and the same other label"
    )
    if "wrong" in summary:
        text += f"; {summary['wrong']:,} are wrong, found at that number: "
        text += f"{100 * summary[f'precision_{options.ranked_by}']:.1f} %"
    if summary["without_neighbours"]:
        text += f"; {summary['without_neighbours']:,} have no neighbour: NaN or inf in their embeddings"
    return f"{text}\nsuspects: {options.out / 'suspects.html'}\ntable: {options.out / 'label_errors.csv'}"
