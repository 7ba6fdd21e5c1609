"""What a `benign` run comes down to: one row per training image, and the headline numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rote.experiments.inputs.labels import EXEMPLAR, RANDOM, GivenLabels
from rote.experiments.probing import verdict
from rote.experiments.probing.probes import PIXELS
from rote.metrics.evaluation import clean_logits
from rote.runs import Measurements

PROJECTOR = "projector.hidden"


def examples_table(
    model: nn.Module, images: Tensor, image_ids: Tensor, label_true: Tensor, label_used: Tensor, labels: GivenLabels
) -> dict[str, np.ndarray]:
    """The columns of examples.parquet, each [N].

    `prediction`, `correct` (it is label_used) and `confidence` (the softmax of label_used) are those of the trained
    network in eval mode on the un-augmented image.
    """
    logits = clean_logits(model, images, image_ids).cpu()
    prediction = logits.argmax(1)
    confidence = torch.softmax(logits, dim=1).gather(1, label_used[:, None]).squeeze(1)
    return {
        "id": image_ids.numpy(),
        "label_true": label_true.numpy(),
        "label_used": label_used.numpy(),
        "label_redrawn": labels.redrawn.numpy(),
        "is_corrupted": (label_used != label_true).numpy(),
        "prediction": prediction.numpy(),
        "correct": (prediction == label_used).numpy(),
        "confidence": confidence.numpy(),
    }


def summary_of(
    measured: Measurements,
    answers: Mapping[str, np.ndarray],
    step: int,
    layers: Sequence[str],
    headline: str,
    labels: str,
    noise: float = 1.0,
) -> dict[str, Any]:
    """The headline numbers of a run, all of them from what lies in its folder.

    Args:
        measured: the lines of metrics.jsonl.
        answers: the columns of queries.parquet.
        step: the last step.
        layers: the layers of the network in depth order.
        headline: the layer that `probe_accuracy` speaks of.
        labels: what was trained on. The verdict is about labels that say nothing of the image, "random" or "exemplar";
            the controls ("true", "fresh") have none.
        noise: share of random labels that were drawn. Where some are true ones (below 1) there is no verdict either.
    """

    def at_end(metric: str, split: str = "train") -> float | None:
        found = measured.select(split=split, metric=metric, step=step)
        return found[-1]["value"] if found else None

    def probe(layer: str, at: int = step, references: str = "all") -> float | None:
        found = measured.select(metric="probe_accuracy", layer=layer, step=at, references=references)
        return found[-1]["value"] if found else None

    gain = verdict.gain_of_run(answers["correct_final"], answers["correct_init"], answers["correct_pixels"])
    clean, fresh = at_end("accuracy_clean"), at_end("accuracy_fresh_views")
    memorized = verdict.is_memorized(clean)
    judged = labels in (RANDOM, EXEMPLAR) and noise == 1.0
    return {
        "verdict": verdict.verdict(gain, memorized=memorized) if judged else None,
        "memorized": memorized,
        "memorized_with_views": memorized and fresh >= verdict.MEMORIZED_WITH_VIEWS,
        "train_accuracy": clean,
        "train_accuracy_clean_running_bn": at_end("accuracy_clean_running_bn"),
        "train_accuracy_running": at_end("accuracy_running"),
        "train_accuracy_fresh_views": fresh,
        "train_loss": at_end("loss"),
        "accuracy_pool": at_end("accuracy_pool"),
        "steps_to_90": steps_to(measured, 0.90),
        "steps_to_99": steps_to(measured, 0.99),
        "test_accuracy": at_end("accuracy", split="test"),
        "probe_accuracy_raw": probe(PIXELS, 0),
        "probe_accuracy_init": probe(headline, 0),
        "probe_accuracy": probe(headline),
        "probe_accuracy_projector": probe(PROJECTOR),
        "probe_accuracy_seen": probe(headline, references="seen"),
        "probe_accuracy_unseen": probe(headline, references="unseen"),
        "probe_gain": gain.value,
        "probe_gain_interval": [gain.low, gain.high],
        "probe_gain_baseline": gain.baseline,
        "probe_by_layer": {
            PIXELS: {"init": probe(PIXELS, 0), "final": probe(PIXELS, 0)},
            **{layer: {"init": probe(layer, 0), "final": probe(layer)} for layer in layers},
        },
        "chance": float(np.bincount(answers["label_true"]).max() / len(answers["label_true"])),
    }


def steps_to(measured: Measurements, accuracy: float) -> int | None:
    """The first step at whose epoch the running accuracy had reached `accuracy`; None if it never did."""
    reached = (line["step"] for line in measured.select(metric="accuracy_running") if line["value"] >= accuracy)
    return next(reached, None)
