"""What a finished run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rote.experiments.noise.headline import headline as noise
from rote.metrics.memorization import SINGLE_SCORES_FROM
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
    if summary.get("study") == "convergence":
        return _convergence(summary)
    if summary.get("study") == "noise":
        return _noise_capacity(summary)
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


def _csr(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"critical samples among {summary['queries']:,} test inputs, networks trained on {summary['images']:,} images "
        f"of {summary['data']}"
    ]
    names = [key.removeprefix("train_accuracy_") for key in summary if key.startswith("train_accuracy_")]
    for name in names:
        lines.append(
            f"  {name}: training accuracy {summary[f'train_accuracy_{name}']:.3f}, test accuracy "
            f"{summary[f'test_accuracy_{name}']:.3f}, critical sample ratio {summary[f'csr_{name}']:.3f}"
        )
    ratios = [
        f"{summary[key]:.2f} for {kind}"
        for kind in ("randX", "randY")
        if summary.get(key := f"csr_ratio_{kind}") is not None
    ]
    if ratios:
        accuracy = 100 * summary["matched_accuracy"]
        lines.append(f"  ratio to real data at a training accuracy of {accuracy:.0f} %: {', '.join(ratios)}")
    return lines


def _sensitivity(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"loss-sensitivity through training, {summary['images']:,} images of {summary['data']}"]
    for labels, name in (("classes", "the classes of the data"), ("exemplar", "a class for every image")):
        found = [
            f"{summary[key]:.3f} on {inputs} inputs"
            for inputs in ("real", "random")
            if summary.get(key := f"gini_{inputs}_{labels}") is not None
        ]
        if found:
            lines.append(f"  Gini coefficient with {name}: {', '.join(found)}")
    ratios = [
        f"{summary[key]:.2f} on {inputs} inputs"
        for inputs in ("real", "random")
        if summary.get(key := f"class_ratio_{inputs}") is not None
    ]
    if ratios:
        lines.append(f"  sensitivity to the own class over that to others: {', '.join(ratios)}")


def _convergence(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"epochs to 100 % of {summary['images']:,} images of {summary['data']}, at most {summary['cap']:,}"]
    for row in summary["rows"]:
        over = " (a lower bound)" if row["censored"] else ""
        ratio = "" if row["ratio"] is None or row["kind"] == "clean" else f", {row['ratio']:.2f} times real data"
        lines.append(
            f"  width {row['width']:>3}, {row['images']:>6,} images, {_condition(row)}: "
            f"{row['epochs']:.1f}{over}{ratio}"
        )
    for order in summary["orders"]:
        if order["spearman"] is not None:
            lines.append(f"  ratio against {order['sweep']}, {_condition(order)}: Spearman {order['spearman']:+.2f}")
    return lines


def _noise_capacity(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"best width, {summary['images']:,} images of {summary['data']}, within {100 * summary['tie']:g} points"]
    for row in summary["best"]:
        lines.append(
            f"  {_condition(row)}: {row['best_width']}, accuracy {row['validation_accuracy']:.3f} on validation and "
            f"{row['test_accuracy']:.3f} on test images"
        )
    return lines


def _condition(row: Mapping[str, Any]) -> str:
    return "real data" if row["kind"] == "clean" else f"{100 * row['level']:g} % noisy {_NOISY[row['kind']]}"


_NOISY = {"inputs": "inputs", "labels": "labels", "removed": "examples removed"}


def _regularize(summary: Mapping[str, Any]) -> list[str]:
    none = summary["rows"][0]
    lines = [
        f"regularizers on {summary['images']:,} images of {summary['data']}, {summary['epochs']:,} epochs; without: "
        f"{none['random_train_accuracy']:.3f} of random labels known, test accuracy {none['test_selected']:.3f} on "
        "true ones"
    ]
    for fall in summary["falls"]:
        lines.append(
            f"  {fall['technique']}: {100 * fall['fall']:.1f} points less of random labels at strength "
            f"{fall['strength']:.2g}, for {100 * fall['cost']:.1f} points of test accuracy"
        )
    return lines


def _memorization(summary: Mapping[str, Any]) -> list[str]:
    split_half = "unknown" if summary["split_half"] is None else f"{summary['split_half']:.2f}"
    caution = ": no single score is to be quoted" if summary["runs"] < SINGLE_SCORES_FROM else ""
    lines = [
        f"memorization of single examples by {summary['runs']:,} networks on {100 * summary['share']:g} % of "
        f"{summary['images']:,} images of {summary['data']}",
        f"  accuracy {summary['train_accuracy']:.3f} on images trained on, {summary['held_out_accuracy']:.3f} on held-out "
        f"ones, {summary['test_accuracy']:.3f} on test images",
        f"  standard error of a score {summary['standard_error']:.3f}, reliability {split_half}{caution}",
        f"  {summary['influence_pairs']:,} pairs of high influence, {summary['influence_pairs_opposite']:,} as large with "
        "the other sign",
    ]
    if summary["auc"] is not None:
        lines.append(
            f"  {summary['corrupted']:,} wrong labels above right ones: area under the curve {summary['auc']:.3f} (95 % "
            f"interval {summary['auc_low']:.3f} to {summary['auc_high']:.3f})"
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


def _easy(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{summary['runs']} networks of each kind, {summary['epochs']} epochs, {summary['images']:,} images of "
        f"{summary['data']}, {summary['examples']:,} of them asked about"
    ]
    lines += [
        f"  {row['kind']:<5} error rate {row['error_rate']:.3f}, variance over examples {row['over_dispersion']:.2f} "
        f"times the binomial's ({row['over_dispersion_low']:.2f} to {row['over_dispersion_high']:.2f}), split-half "
        f"reliability {row['split_half']:.2f}"
        for row in summary["rows"]
    ]
    return lines


def _trajectories(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{summary['networks']} networks of each share of redrawn labels, {summary['images']:,} images of "
        f"{summary['data']}, {summary['epochs']} epochs"
    ]
    for row in summary["rows"]:
        gap = row["fit_gap_at_peak"]
        apart = "" if gap is None else f", fit of clean over wrong labels there {100 * gap:+.1f} points"
        lines.append(
            f"  {row['noise']:g} redrawn: fitted {row['fitted_at_third']:.3f} at a third of the steps and "
            f"{row['fitted_final']:.3f} at the end; test {row['test_selected']:.3f} at the selected epoch "
            f"({row['selected_epoch']:.1f}), {row['test_final']:.3f} at the last{apart}"
        )
    return lines


def _depth(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"{summary['images']:,} images of {summary['data']}, each depth at its best learning rate"]
    for row in summary["rows"]:
        epochs = "no" if row["epochs_to_99"] is None else row["epochs_to_99"]
        tested = "diverged" if row["test_accuracy"] is None else f"test {row['test_accuracy']:.3f}"
        lines.append(
            f"  equal {row['equal']}, norm {row['norm']}, depth {row['depth']}, width {row['width']}: random labels to "
            f"99 % in {epochs} epochs; true labels: {tested}"
        )
    for row in summary["comparisons"]:
        lines.append(
            f"  equal {row['equal']}, norm {row['norm']}: rank correlation of depth and epochs "
            f"{row['spearman_depth_epochs']:+.2f}"
        )
    return lines


_TEXTS = {
    "capacity": _capacity,
    "depth": _depth,
    "csr": _csr,
    "diversity": _diversity,
    "easy": _easy,
    "ideal": _ideal,
    "invariance": _invariance,
    "layers": _layers,
    "noise": noise,
    "sensitivity": _sensitivity,
    "regularize": _regularize,
    "memorization": _memorization,
    "size": _size,
    "trajectories": _trajectories,
    "transfer": _transfer,
}
