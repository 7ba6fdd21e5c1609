"""What a finished run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rote.runs import Run


def headline(run: Run) -> list[str]:
    """The headline numbers of a finished run, a line each."""
    return _TEXTS.get(run.experiment, _benign)(run.summary)


def _benign(summary: Mapping[str, Any]) -> list[str]:
    low, high = summary["probe_gain_interval"]
    better = {"init": "initialization", "pixels": "raw pixels"}[summary["probe_gain_baseline"]]
    return [
        f"verdict: {summary['verdict']}" if summary["verdict"] else f"control: {summary['labels']} labels",
        f"  {summary['labels']} labels, augmentation {summary['augment']}, {summary['images']:,} images of "
        f"{summary['data']}, {summary['steps']:,} steps",
        f"  training accuracy: {summary['train_accuracy']:.3f} clean, "
        f"{summary['train_accuracy_fresh_views']:.3f} on fresh views",
        f"  probe on true labels: {summary['probe_accuracy']:.3f} after training, "
        f"{summary['probe_accuracy_init']:.3f} at initialization, {summary['probe_accuracy_raw']:.3f} on raw pixels",
        f"  gain over {better}: {100 * summary['probe_gain']:+.1f} points "
        f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f})",
    ]


def _capacity(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"{summary['parameters']:,} parameters, {summary['images']:,} images of {summary['data']}"]
    for row in summary["rows"]:
        limited = ", budget-limited" if row["budget_limited"] else ""
        lines.append(
            f"  {row['views']:>6} views, {row['label_mode']:<6} labels: {row['accuracy_pool']:.3f} of a pool of "
            f"{row['pool']:,}, {row['bits_per_parameter']:.2f} bits per parameter{limited}"
        )
    return lines


def _layers(summary: Mapping[str, Any]) -> list[str]:
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


def _invariance(summary: Mapping[str, Any]) -> list[str]:
    def words(name: str) -> str:
        value = summary[name]
        return "undefined (all features alike)" if value is None else f"{value:.3f}"

    lines = [
        f"{summary['labels']} labels, augmentation {summary['augment']}, views of {summary['view_recipe']}, "
        f"{summary['images']:,} images of {summary['data']}"
    ]
    for split, ending in (("test images", ""), ("images trained on", "_train")):
        lines.append(
            f"  end of the encoder, {split}: invariance {words(f'invariance_encoder{ending}')} "
            f"({words(f'invariance_encoder_init{ending}')} at initialization), a view finds its image "
            f"{words(f'retrieval_encoder{ending}')} ({words(f'retrieval_encoder_init{ending}')})"
        )
    return lines


def _transfer(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{summary['networks']} networks pre-trained on random labels of half of {summary['images']:,} images of "
        f"{summary['data']}, training accuracy {summary['pretrain_accuracy']:.3f}",
        f"  misalignment of their first-layer filters: {summary['misalignment']:.2f} "
        f"({summary['misalignment_random_basis']:.2f} with random bases), {summary['misalignment_init']:.2f} at "
        "initialization",
    ]
    for start, epochs in summary["epochs_to_90"].items():
        found = [
            f"{labels} labels to .90 in {'no' if count is None else format(count, '.1f')} epochs"
            for labels, count in epochs.items()
        ]
        if summary["test_accuracy"] is not None:
            found.append(f"test accuracy {summary['test_accuracy'][start]:.3f}")
        lines.append(f"  the other half from {start}: {', '.join(found)}")
    return lines


_TEXTS = {"capacity": _capacity, "layers": _layers, "invariance": _invariance, "transfer": _transfer}
