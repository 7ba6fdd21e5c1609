"""`size`: scores against the stored answers, known noise, and going on after a stop."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from rote import models
from rote.experiments import SizeConfig, headline, size
from rote.metrics.memorization import memorization_scores

FIELDS = {
    "images": 256,
    "widths": (2, 24),
    "replicas": 16,
    "together": 8,
    "projector_width": 8,
    "noise": 0.3,
    "epochs": 80,
    "batch_size": 64,
    "lr": 1e-2,
    "schedule": "constant",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return size(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def answers(run, width):
    parts = [np.load(run.dir / f"cells/width={width}_replicas={first}-{first + 7}.npz")["correct"] for first in (0, 8)]
    return np.concatenate(parts)


def test_tables(run):
    rows = run.summary["rows"]
    with open(run.dir / "size.csv", newline="") as file:
        assert [float(row["memorization_mean"]) for row in csv.DictReader(file)] == [
            r["memorization_mean"] for r in rows
        ]
    examples = run.examples
    assert len(examples["id"]) == 256
    assert np.array_equal(examples["is_corrupted"], examples["label_used"] != examples["label_true"])
    assert examples["label_redrawn"].sum() == 256 - int(256 * 0.7)
    for row in rows:
        own = models.build("mlp", in_channels=3, image_size=16, num_classes=10, width=row["width"], projector_width=8)
        assert row["parameters"] == own.parameter_counts()["total"]
        scores = examples[f"memorization_{row['width']}"]
        assert row["memorization_mean"] == pytest.approx(scores.mean())
        assert row["memorization_high"] == pytest.approx((scores > 0.5).mean())
        assert row["memorization_corrupted"] == pytest.approx(scores[examples["is_corrupted"]].mean())
        assert (np.abs(scores) <= 1).all()
        assert row["replicas"] == 16
    assert "mean score" in headline(run)[1]


def test_scores_are_those_of_the_stored_answers(run):
    included = np.zeros((16, 256), dtype=bool)
    lines = run.metrics.select(metric="accuracy_clean", width=24)
    assert len(lines) == 16
    correct = answers(run, 24)
    # Who was trained on what is told by nothing but the config, so it is made again here.
    from rote import address
    from rote.address import Stream

    for pair in range(8):
        order = address.permutation(0, 256, pair, Stream.SUBSET)
        included[2 * pair, order[:128].numpy()] = True
        included[2 * pair + 1] = ~included[2 * pair]
    assert run.examples["memorization_24"] == pytest.approx(memorization_scores(correct, included).score)
    for line in lines:
        replica = line["replica"]
        assert line["value"] == pytest.approx(correct[replica][included[replica]].mean())


def test_large_networks_know_wrong_labels_by_heart(run):
    small, large = run.summary["rows"]
    assert large["train_accuracy"] > 0.95 > small["train_accuracy"]
    assert large["memorization_corrupted"] > large["memorization_clean"] + 0.1
    assert large["memorization_mean"] > small["memorization_mean"]
    assert large["split_half"] > 0.3


@pytest.mark.parametrize("moment", [70, 150])
def test_goes_on_where_it_was_killed(run, assert_goes_on, moment):
    assert_goes_on(size, FIELDS, moment, run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": 1.5}, "--noise"),
        ({"widths": ()}, "--widths"),
        ({"widths": (4, 4)}, "--widths"),
        ({"replicas": 6}, "--replicas"),
        ({"replicas": 10}, "--replicas"),
        ({"together": 3}, "--together"),
        ({"images": 63}, "--images must be even"),
        ({"mixup": "labels"}, "--mixup"),
        ({"label_classes": 4}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        SizeConfig(**change)


def test_an_odd_data_set_has_no_halves(tmp_path):
    with pytest.raises(ValueError, match="digits has 1437"):
        size(**{**FIELDS, "images": None}, out=tmp_path)
