"""What is made of the answers of all networks: scores, pairs of influence, the consistency profile, the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rote.experiments.memorization.figures import halves_rows, histogram_rows, picture_grid
from rote.metrics.auc import AreaUnderCurve, area_under_curve
from rote.metrics.influence import InfluencePairs, influence_pairs
from rote.metrics.memorization import Counts, count_bits, scores_of
from rote.metrics.split_half import pearson, stepped_up
from rote.runs import RunFolder
from rote.runs.whole_files import write_with

if TYPE_CHECKING:
    from rote.experiments.memorization.training import SubsetTraining


@dataclass(frozen=True)
class Answers:
    """What all networks answered.

    Attributes:
        subset: uint8 [R, ceil(N / 8)], packed: who was trained on what.
        correct_train: uint8 [R, ceil(N / 8)], packed: training images answered rightly, by the label used.
        correct_test: uint8 [R, ceil(T / 8)], packed: the same of test images.
        diverged: bool [R]; such networks count nowhere.
        train_accuracy, held_out_accuracy, test_accuracy: float64 [R].
        seconds: of all trainings.
    """

    subset: np.ndarray
    correct_train: np.ndarray
    correct_test: np.ndarray
    diverged: np.ndarray
    train_accuracy: np.ndarray
    held_out_accuracy: np.ndarray
    test_accuracy: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Scores:
    """Scores of all N examples as masked arrays: an example without a score has none, rather than a number.

    Attributes:
        counts: of the networks of the main share.
        memorization, standard_error: float64 [N], masked where not estimable.
        halves: the score of the networks of even index, and of those of odd index.
    """

    counts: Counts
    memorization: np.ma.MaskedArray
    standard_error: np.ma.MaskedArray
    halves: tuple[np.ma.MaskedArray, np.ma.MaskedArray]

    @property
    def half_correlation(self) -> float:
        """Pearson's r of the halves, over the examples that both score."""
        both = ~(np.ma.getmaskarray(self.halves[0]) | np.ma.getmaskarray(self.halves[1]))
        return pearson(self.halves[0].data[both], self.halves[1].data[both])


def scores(answers: Answers, main: np.ndarray, examples: int) -> Scores:
    """Scores out of the packed answers.

    Args:
        answers: of all networks.
        main: bool [R], those of the main share that did not diverge.
        examples: N.
    """
    even = np.arange(len(main)) % 2 == 0
    counted = [
        count_bits(answers.correct_train, answers.subset, examples, main & part)
        for part in (np.ones_like(even), even, ~even)
    ]
    (score, error), *halves = (_masked(counts) for counts in counted)
    return Scores(counted[0], score, error, (halves[0][0], halves[1][0]))


def write_results(training: SubsetTraining, folder: RunFolder, answers: Answers) -> None:
    """Writes every table of the run and, last, its summary."""
    config, inputs = training.config, training.inputs
    images, ids = len(inputs.image_ids), inputs.image_ids.numpy()
    share = np.array([model.share for model in training.models])
    sound = ~answers.diverged
    main = sound & (share == config.share)
    found = scores(answers, main, images)
    shares = (*config.profile_shares, config.share)
    profile = {
        s: count_bits(answers.correct_train, answers.subset, images, sound & (share == s)) for s in sorted(shares)
    }
    c_score = _c_score(profile)
    pairs, opposite = _influence(training, answers, main, found)
    corrupted = (training.label_used != inputs.label_true).numpy()
    examples: dict[str, Any] = {
        "id": ids,
        "label_true": inputs.label_true.numpy(),
        "label_used": training.label_used.numpy(),
        "label_redrawn": training.planted.numpy(),
        "is_corrupted": corrupted,
        "memorization": found.memorization,
        "standard_error": found.standard_error,
        "estimated": found.counts.estimable,
        "memorization_first_half": found.halves[0],
        "memorization_second_half": found.halves[1],
        "c_score": c_score,
    }
    folder.write_columns(
        "estimates.parquet",
        {
            "example_id": ids,
            "mem": found.memorization,
            "se": found.standard_error,
            "n_in": found.counts.n_in,
            "n_out": found.counts.n_out,
            "estimated": found.counts.estimable,
        },
    )
    folder.write_columns("consistency.parquet", _profile_columns(profile, ids))
    folder.write_columns(
        "influence.parquet",
        {
            "train_id": ids[pairs.train],
            "test_id": pairs.test,
            "influence": pairs.influence,
            "standard_error": pairs.standard_error,
            "memorization": found.memorization.data[pairs.train],
        },
    )
    grid = picture_grid(inputs.bank, ids, training.label_used.numpy(), pairs)
    write_with(folder.path / "influence.npz", lambda file: np.savez_compressed(file, **grid))
    folder.write_table("memorization.csv", histogram_rows(found, corrupted))
    folder.write_table("halves.csv", halves_rows(found, ids, corrupted))
    folder.write_examples(examples)
    area = _area(found, corrupted)
    estimable = found.counts.estimable
    values = found.memorization.data[estimable]
    r = found.half_correlation
    stream = training.stream(training.models[0])
    folder.write_summary(
        {
            "data": inputs.bank.name,
            "images": images,
            "label_classes": training.num_classes,
            "augment": config.augment,
            "noise": config.noise,
            "noise_kind": config.noise_kind,
            "runs": int(main.sum()),
            "diverged": int(answers.diverged.sum()),
            "share": config.share,
            "subset_images": len(stream),
            "estimated": int(estimable.sum()),
            "not_estimated": int((~estimable).sum()),
            "memorization_mean": float(values.mean()) if len(values) else None,
            "memorization_corrupted": _mean(found.memorization, corrupted),
            "memorization_clean": _mean(found.memorization, ~corrupted),
            "memorized": int((values >= config.memorized).sum()),
            "standard_error": float(found.standard_error.data[estimable].mean()) if len(values) else None,
            "auc": area.value if area else None,
            "auc_standard_error": area.standard_error if area else None,
            "auc_low": area.low if area else None,
            "auc_high": area.high if area else None,
            "corrupted": int(corrupted.sum()),
            "half_correlation": r,
            "split_half": stepped_up(r),
            "influence_pairs": len(pairs.influence),
            "influence_pairs_opposite": opposite,
            "c_score_shares": sorted(shares),
            "train_accuracy": float(answers.train_accuracy[main].mean()),
            "held_out_accuracy": float(answers.held_out_accuracy[main].mean()),
            "test_accuracy": float(answers.test_accuracy[main].mean()),
            "epochs": config.epochs,
            "steps": config.epochs * stream.steps_per_epoch,
            "seed": config.seed,
            "parameters": sum(p.numel() for p in training.network(training.models[0]).parameters()),
            "seconds": round(answers.seconds, 2),
        }
    )


def _masked(counts: Counts) -> tuple[np.ma.MaskedArray, np.ma.MaskedArray]:
    """Score and standard error of every example, masked where there is none."""
    there = counts.estimable
    found = scores_of(counts.of(there))
    return tuple(_placed(column, there) for column in found)


def _placed(values: np.ndarray, there: np.ndarray) -> np.ma.MaskedArray:
    full = np.zeros(len(there))
    full[there] = values
    return np.ma.MaskedArray(full, mask=~there)


def _mean(values: np.ma.MaskedArray, chosen: np.ndarray) -> float | None:
    chosen = chosen & ~np.ma.getmaskarray(values)
    return float(values.data[chosen].mean()) if chosen.any() else None


def _area(found: Scores, corrupted: np.ndarray) -> AreaUnderCurve | None:
    """How well the score ranks wrong labels above right ones; None with fewer than two of a kind."""
    there = found.counts.estimable
    if min(int((corrupted & there).sum()), int((~corrupted & there).sum())) < 2:
        return None
    return area_under_curve(found.memorization.data[there], corrupted[there])


def _influence(
    training: SubsetTraining, answers: Answers, main: np.ndarray, found: Scores
) -> tuple[InfluencePairs, int]:
    """The pairs that are kept, and how many there are of the opposite sign, as chance alone would make them."""
    high = found.counts.estimable & (found.memorization.data >= training.config.memorized)
    return influence_pairs(
        answers.correct_test[main],
        answers.subset[main],
        test_examples=len(training.inputs.bank.test),
        train_examples=len(training.inputs.image_ids),
        of=np.flatnonzero(high),
        least=training.config.influential,
        device=training.config.training().resolved_device(),
    )


def _c_score(profile: dict[float, Counts]) -> np.ma.MaskedArray:
    """Held-out correctness, averaged over subset sizes with equal weight; masked where a size never held it out."""
    n_out = np.stack([counts.n_out for counts in profile.values()])
    hits = np.stack([counts.hits_out for counts in profile.values()])
    return np.ma.MaskedArray((hits / np.maximum(n_out, 1)).mean(0), mask=(n_out == 0).any(0))


def _profile_columns(profile: dict[float, Counts], ids: np.ndarray) -> dict[str, Any]:
    """consistency.parquet: a row for every example and share."""
    parts = []
    for share, counts in profile.items():
        rate = np.ma.MaskedArray(counts.hits_out / np.maximum(counts.n_out, 1), mask=counts.n_out == 0)
        variance = rate.data * (1 - rate.data) / np.maximum(counts.n_out - 1, 1)
        error = np.ma.MaskedArray(np.sqrt(variance), mask=counts.n_out < 2)
        parts.append((ids, np.full(len(ids), share), rate, error, counts.n_out))
    names = ("example_id", "share", "held_out", "se", "n_out")
    return {name: np.ma.concatenate(column) for name, column in zip(names, zip(*parts, strict=True), strict=True)}
