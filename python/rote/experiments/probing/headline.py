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
    if "frontier" in summary:
        return _frontier(summary)
    lines = [f"{summary['images']:,} images of {summary['data']}"]
    for row in summary["rows"]:
        limited = ", budget-limited" if row["budget_limited"] else ""
        lines.append(
            f"  {row['parameters']:>7,} parameters, {row['images']:,} x {row['views']:<4} views, "
            f"{row['label_mode']:<6} labels: {row['accuracy_pool']:.3f} of a pool of {row['pool']:,} at equal "
            f"{row['budget']}, {row['bits_per_parameter']:.2f} of {row['labels_per_parameter_bits']:.2f} bits per "
            f"parameter{limited}"
        )
    return lines


def _frontier(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"the most random labels fitted to 99 %, on images of {summary['data']}"]
    for row in summary["frontier"]:
        limited = [name.replace("_", "-") for name in ("budget_limited", "data_limited") if row[name]]
        lines.append(
            f"  {row['parameters']:>7,} parameters: {row['samples']:,} labels, {row['bits_per_parameter']:.2f} bits "
            f"per parameter{''.join(', ' + name for name in limited)}"
        )
    if summary["slope"] is not None:
        low, high = summary["slope_interval"]
        lines.append(f"  slope in logarithms {summary['slope']:.2f} (95 % interval {low:.2f} to {high:.2f})")
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


def _location(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{summary['images_permuted']:,} wrong labels among {summary['images']:,} of {summary['data']}, augmentation "
        f"{summary['augment']}, training accuracy {summary['train_accuracy']:.3f}"
    ]
    if summary.get("last_minus_best_other") is not None:
        falls = ", ".join(f"{name} {100 * fall:+.1f}" for name, fall in summary["fall_permuted"].items())
        lines.append(
            f"  blocks put back to epoch {summary['rewound_epoch']}, fall on wrong labels in points: {falls}; last "
            f"block - best other {100 * summary['last_minus_best_other']:+.1f}"
        )
    if "neurons_permuted" in summary:
        lines.append(
            f"  neurons to flip an answer, median: {summary['neurons_permuted']:g} with a wrong label, "
            f"{summary['neurons_unpermuted']:g} with a right one"
        )
    if "tied_permuted_before" in summary:
        before, after = summary["tied_permuted_before"], summary["tied_permuted_dropped"]
        lines.append(f"  example-tied dropout: {before:.3f} of wrong labels, {after:.3f} without the tied channels")
    if "latent_layer" in summary:
        lines.append(
            f"  linear probe of {summary['latent_layer']} on test images {summary['latent_accuracy']:.3f}, the "
            f"network's own answers {summary['own_accuracy']:.3f}"
        )
    return lines


def _diversity(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{summary['labels']} labels, {summary['images']:,} images of {summary['data']}, {summary['steps']:,} steps"
    ]
    lines += [f"  {_row(row['recipe'], row)}" for row in summary["rows"]]
    if summary["spearman_steps_strength"] is not None:
        lines.append(
            f"  rank correlation of strength and steps to 90 %: {summary['spearman_steps_strength']:+.2f}; best probe "
            f"{summary['optimum_probe']:.3f} at strength {summary['optimum_strength']:g}, "
            f"{summary['strongest_probe']:.3f} at the strongest"
        )
    return lines


def _ideal(summary: Mapping[str, Any]) -> list[str]:
    return [
        f"{summary['labels']} labels, {summary['images']:,} images of {summary['data']}, {summary['steps']:,} steps",
        *(f"  {_row(row['condition'], row)}" for row in summary["rows"]),
        f"  same-class (an oracle) - {summary['augment']}: {100 * summary['difference']:+.1f} points",
    ]


def _row(name: str, row: Mapping[str, Any]) -> str:
    steps = "never" if row["steps_to_90"] is None else f"after {row['steps_to_90']:,} steps"
    return (
        f"{name}: 90 % of the labels {steps}, distance of views {row['view_distance']:.2f}, "
        f"probe {row['probe_accuracy']:.3f}"
    )


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


def _size(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"memorization of single examples, {summary['images']:,} images of {summary['data']}, "
        f"{100 * summary['noise']:.0f} % of their labels redrawn"
    ]
    for row in summary["rows"]:
        apart = [
            f"{row[key]:.2f} of {name}"
            for key, name in (("memorization_corrupted", "wrong labels"), ("memorization_clean", "right ones"))
            if row[key] is not None
        ]
        lines.append(
            f"  width {row['width']:>3}, {row['parameters']:>7,} parameters: mean score {row['memorization_mean']:.3f} "
            f"({', '.join(apart)}), accuracy {row['train_accuracy']:.3f} on the half trained on and "
            f"{row['held_out_accuracy']:.3f} on the other, reliability {row['split_half']:.2f}"
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


_TEXTS = {
    "capacity": _capacity,
    "diversity": _diversity,
    "ideal": _ideal,
    "invariance": _invariance,
    "layers": _layers,
    "location": _location,
    "size": _size,
    "transfer": _transfer,
}
