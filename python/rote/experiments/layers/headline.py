"""What a finished `layers` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [
        f"{summary['labels']} labels, augmentation {summary['augment']}, {summary['images']:,} images of "
        f"{summary['data']}, training accuracy {summary['train_accuracy']:.3f}",
        f"  true labels, k-NN on test images: {summary['best_encoder_probe']:.3f} in {summary['best_encoder_layer']}, "
        f"{summary['logits_probe']:.3f} at the output, {summary['raw_probe']:.3f} on raw pixels",
        f"  labels given, k-NN leaving each image out: {summary['used_loo_encoder']:.3f} at the end of the encoder, "
        f"{summary['used_loo_logits']:.3f} at the output, chance {summary['used_chance']:.3f}",
    ]
    if summary["used_linear_encoder"] is not None:
        lines.append(
            f"  labels given, linear on views held out: {summary['used_linear_encoder']:.3f} at the end of the encoder "
            f"({summary['used_linear_encoder_init']:.3f} at initialization), "
            f"{summary['used_linear_logits']:.3f} at the output"
        )
    if summary["finetuned"] is not None:
        lines.append(
            f"  trained on true labels from this encoder: {summary['finetuned']:.3f} on test images, "
            f"{summary['finetuned_from_scratch']:.3f} from scratch"
        )
    return lines
