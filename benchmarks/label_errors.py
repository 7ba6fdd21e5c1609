"""Planted wrong labels found again: votes of neighbours and training dynamics beside cleanlab, in one run.

    python -m benchmarks.label_errors --data folder --root CIFAR --images 5000 --seeds 0,1,2 --out results.json

A share of the labels is replaced by wrong ones. A small network is trained on them, with crops and flips, too briefly
to know them by heart; its logits on the plain images after every epoch give AUM and confidence, its encoder the
features. Out-of-sample evidence comes from `--folds` further networks, each without a fold of the images: their
probabilities for the fold, and the votes of its neighbours among the images trained on. The same probabilities go to
cleanlab.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import rote
from benchmarks.machine import describe_machine
from rote import metrics, models, train
from rote.augment import recipes
from rote.metrics.detection import detection
from rote.metrics.evaluation import clean_pixels, evaluating
from rote.metrics.exchange import ExampleDynamics
from rote.metrics.label_errors import label_errors, place
from rote.metrics.linear_probe import fit_linear_probe
from rote.statistics import t_interval

QUALITY = ("self_confidence", "normalized_margin")


class Planted(NamedTuple):
    """Images with labels, some of them wrong on purpose.

    Attributes:
        images: uint8 [M, C, H, W], the bank.
        ids: int64 [N], the images used.
        labels: int64 [N], what is trained on.
        wrong: bool [N], which labels are wrong.
        classes: number of them.
    """

    images: Tensor
    ids: Tensor
    labels: Tensor
    wrong: np.ndarray
    classes: int


def main() -> None:
    """Runs all seeds, prints the table and writes it."""
    options = parsed()
    bank = rote.data.load(options.data, options.root)
    rows = []
    for seed in options.seeds:
        planted = plant(bank, options.images, options.share, seed)
        rows += [{"seed": seed, **row} for row in measured(planted, options, seed)]
    facts = {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()}
    for private in ("root", "out"):
        facts.pop(private)
    result = {"machine": machine(), "settings": facts, "rows": rows, "table": summarized(rows)}
    print(table(result["table"]))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def plant(bank: rote.data.ImageBank, images: int, share: float, seed: int) -> Planted:
    """The first images of a class-balanced order, a share of them with a wrong label."""
    ids = bank.balanced_order(seed)[:images]
    true = bank.train.labels[ids]
    labels, _ = train.corrupt_labels(true, ids, bank.num_classes, seed, p=share, kind="wrong")
    return Planted(bank.train.images, ids, labels, (labels != true).numpy(), bank.num_classes)


def measured(planted: Planted, options: argparse.Namespace, seed: int) -> list[dict]:
    """A row for every way to look for the wrong labels."""
    begin = time.monotonic()
    labels = planted.labels.numpy()
    network, logits = trained(planted, np.arange(len(labels)), options, seed, looks=True)
    looks = ExampleDynamics.of_logits(logits, labels)
    features = embedded(network, planted, np.arange(len(labels)))
    spent = {"whole network": time.monotonic() - begin}
    begin = time.monotonic()
    probabilities, disagreement, majority = out_of_fold(planted, options, seed)
    spent["folds"] = time.monotonic() - begin
    regression = cross_validated(features, labels, planted.classes, options.folds, seed)
    rows = []

    def add(method: str, evidence: str, score: np.ndarray, flagged: np.ndarray | None = None) -> None:
        found = detection(score, planted.wrong, flagged)
        rows.append({"method": method, "evidence": evidence, **found._asdict()})

    pixels = clean_pixels(planted.images, planted.ids, torch.device("cpu")).flatten(1)
    for evidence, rows_of in (("pixels", pixels), ("features", features)):
        found = label_errors(rows_of, labels, k=options.k)
        place_of = place(found.columns["knn_disagreement"], found.columns["knn_disagreement_weighted"])
        add("rote, k-NN disagreement", evidence, place_of, found.columns["suspected"])
    add("rote, k-NN disagreement", "features out of fold", disagreement, majority)
    scores = looks.cartography()
    add("rote, AUM", "dynamics", -looks.aum())
    add("rote, confidence", "dynamics", -scores["confidence"])
    add("rote, forgetting", "dynamics", np.where(scores["never_learned"], np.inf, scores["forgetfulness"]))
    evidence = {"regression on features": regression, "networks out of fold": probabilities}
    for name, p in evidence.items():
        both = label_errors(features, labels, k=options.k, probabilities=p, dynamics={"aum": looks.aum()})
        for score in ("self_confidence", "probability_margin"):
            add(f"rote, {score.replace('_', ' ')}", name, -both.columns[score])
        add("rote, suspicion", f"features, dynamics, {name}", both.columns["suspicion"])
        rows.extend(by_cleanlab(labels, p, planted.wrong, name))
    for row in rows:
        row["training_seconds"] = {part: round(value, 1) for part, value in spent.items()}
    return rows


def trained(
    planted: Planted, rows: np.ndarray, options: argparse.Namespace, seed: int, *, looks: bool = False
) -> tuple[nn.Module, np.ndarray]:
    """A network trained on some of the rows; with `looks` its logits [E, N, C] on all plain images after each epoch."""
    height, width = planted.images.shape[2:]
    network = models.build(
        "convnet",
        in_channels=planted.images.shape[1],
        image_size=(height, width),
        num_classes=planted.classes,
        width=options.width,
        projector_width=options.projector_width,
        seed=seed,
    )
    ids = planted.ids[rows]
    source = train.LabelSource.fixed(planted.labels[rows], num_classes=planted.classes, image_ids=ids)
    seeds = train.Seeds.from_seed(seed)
    recipe = recipes["flip-crop"]
    stream = train.TrainingStream(planted.images, ids, source, recipe, options.batch_size, seeds)
    config = train.TrainConfig(loss="ce", lr=options.lr, epochs=options.epochs, schedule="constant")
    trainer = train.Trainer(network, stream, config)
    found = []
    for epoch in range(1, options.epochs + 1):
        trainer.train_until(epoch * stream.steps_per_epoch)
        if looks:
            found.append(scored(trainer.model, planted, np.arange(len(planted.ids))))
    print(f"seed {seed}: a network of {len(rows):,} images, {options.epochs} epochs", flush=True)
    return trainer.model, np.stack(found) if found else np.zeros(0)


def scored(network: nn.Module, planted: Planted, rows: np.ndarray) -> np.ndarray:
    """Logits float64 [R, C] on plain images."""
    with metrics.recalibrated(network, planted.images[planted.ids]), evaluating(network) as device:
        parts = [network(clean_pixels(planted.images, ids, device)).double() for ids in planted.ids[rows].split(512)]
    return torch.cat(parts).cpu().numpy()


def embedded(network: nn.Module, planted: Planted, rows: np.ndarray) -> np.ndarray:
    """The encoder's output float32 [R, D] on plain images."""
    with metrics.recalibrated(network, planted.images[planted.ids]):
        return metrics.embed(network, planted.images, ["encoder"], image_ids=planted.ids[rows])["encoder"].cpu().numpy()


def out_of_fold(planted: Planted, options: argparse.Namespace, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of networks that did not train on the example: probabilities [N, C], k-NN disagreement [N], and whether most of
    the neighbours have one other label [N].
    """
    fold = np.random.default_rng(seed).permutation(len(planted.ids)) % options.folds
    probabilities = np.zeros((len(planted.ids), planted.classes))
    disagreement, majority = np.zeros(len(planted.ids)), np.zeros(len(planted.ids), dtype=bool)
    labels = planted.labels.numpy()
    for number in range(options.folds):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        network, _ = trained(planted, inside, options, seed)
        logits = torch.from_numpy(scored(network, planted, outside))
        probabilities[outside] = logits.softmax(1).numpy()
        queries, references = (embedded(network, planted, rows) for rows in (outside, inside))
        votes = rote.knn_vote(queries, references, labels[inside], options.k, num_classes=planted.classes)
        disagreement[outside] = 1 - votes[np.arange(len(outside)), labels[outside]] / options.k
        majority[outside] = (votes.argmax(1) != labels[outside]) & (votes.max(1) > options.k / 2)
    return probabilities, disagreement, majority


def cross_validated(features: np.ndarray, labels: np.ndarray, classes: int, folds: int, seed: int) -> np.ndarray:
    """Probabilities [N, C] of multinomial regressions, each without the fold it is asked about."""
    fold = np.random.default_rng(seed + 1).permutation(len(labels)) % folds
    probabilities = np.zeros((len(labels), classes))
    rows, own = torch.from_numpy(features), torch.from_numpy(labels)
    for number in range(folds):
        inside, outside = fold != number, fold == number
        probe = fit_linear_probe(rows[inside], own[inside], classes, c=0.01)
        probabilities[outside] = probe.scores(rows[outside]).softmax(1).numpy()
    return probabilities


def by_cleanlab(labels: np.ndarray, probabilities: np.ndarray, wrong: np.ndarray, evidence: str) -> list[dict]:
    """What cleanlab finds in the same probabilities: ranks by its quality scores, a decision by confident learning."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    flagged = find_label_issues(labels, probabilities, n_jobs=1)
    rows = []
    for name in QUALITY:
        score = -get_label_quality_scores(labels, probabilities, method=name)
        words = name.replace("_", " ")
        rows.append(
            {"method": f"cleanlab, {words}", "evidence": evidence, **detection(score, wrong, flagged)._asdict()}
        )
    return rows


def summarized(rows: list[dict]) -> list[dict]:
    """Means over seeds, with 95 % t intervals where there are three or more."""
    numbers = ("precision", "average_precision", "flagged", "flagged_precision", "flagged_recall")
    found = []
    for method, evidence in dict.fromkeys((row["method"], row["evidence"]) for row in rows):
        own = [row for row in rows if (row["method"], row["evidence"]) == (method, evidence)]
        line: dict = {"method": method, "evidence": evidence, "seeds": len(own)}
        for name in numbers:
            values = [row[name] for row in own if row[name] is not None]
            if values:
                line[name] = float(np.mean(values))
                if len(values) > 2 and name in numbers[:2]:
                    line[f"{name}_interval"] = list(t_interval(values))
        found.append(line)
    return found


def table(lines: list[dict]) -> str:
    """The means as a Markdown table."""
    text = ["| method | evidence | precision at the planted number | average precision | flagged: precision, recall |"]
    text.append("|---|---|---|---|---|")
    for line in lines:
        marked = f"{line['flagged_precision']:.3f}, {line['flagged_recall']:.3f}" if "flagged_recall" in line else ""
        cells = (
            line["method"],
            line["evidence"],
            f"{line['precision']:.3f}",
            f"{line['average_precision']:.3f}",
            marked,
        )
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text)


def machine() -> dict:
    """The machine, and cleanlab's version."""
    import cleanlab

    return {**describe_machine(), "cleanlab": cleanlab.__version__}


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="digits, cifar10 or folder")
    parser.add_argument("--root", type=Path, help="where the data lies")
    parser.add_argument("--images", type=int, default=5000, help="images, of a class-balanced order")
    parser.add_argument("--share", type=float, default=0.1, help="share of wrong labels")
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")], default=[0], help="with commas")
    parser.add_argument("--epochs", type=int, default=15, help="of every network")
    parser.add_argument("--width", type=int, default=32, help="of the small convolutional network")
    parser.add_argument("--projector-width", type=int, default=256, help="of its projector")
    parser.add_argument("--lr", type=float, default=1e-3, help="constant")
    parser.add_argument("--batch-size", type=int, default=128, help="images a step")
    parser.add_argument("--k", type=int, default=20, help="neighbours that vote")
    parser.add_argument("--folds", type=int, default=5, help="networks for out-of-sample evidence, at least 2")
    parser.add_argument("--out", type=Path, help="result file, JSON")
    options = parser.parse_args()
    if options.folds < 2:
        parser.error(f"--folds: wanted at least 2, got {options.folds}")
    return options


if __name__ == "__main__":
    main()
