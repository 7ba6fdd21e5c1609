"""Sentences made from the numbers: headline, findings. Nothing is claimed here that the runs do not show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.conditions import Condition, Study, paired_difference
from rote.report.figures import short_layer
from rote.report.figures_capacity import budget_limited, capacity_table
from rote.report.numbers import (
    count,
    estimate_percent,
    percent,
    points,
    points_interval,
    several,
    significant,
)
from rote.report.records import Curve, finite, in_projector

MEMORIZED = 0.99  # clean accuracy from which labels count as known by heart


def headline(studies: Sequence[Study], has_capacity: bool) -> str:
    """The page's title line: the outcome, in the words the verdicts allow."""
    verdicts = {
        augmented: {c.verdict for study in studies for c in study.find("random", augmented)} - {""}
        for augmented in (True, False)
    }
    augmented, plain = verdicts[True], verdicts[False]
    if augmented == {"benign"} and plain and "benign" not in plain:
        return "Random labels, learnt by heart, and useful features nevertheless"
    if augmented == {"benign"} or (not augmented and plain == {"benign"}):
        return "Memorization was benign: random labels by heart, useful features besides"
    if augmented | plain == {"malign"}:
        return "Memorization was malign: random labels by heart, and nothing besides"
    if augmented | plain == {"not memorized"}:
        return "The random labels were not memorized"
    if augmented or plain:
        parts = [f"{_joined(augmented)} with augmentation"] if augmented else []
        parts += [f"{_joined(plain)} without"] if plain else []
        return "Memorizing random labels: " + ", ".join(parts)
    if any(study.conditions for study in studies):
        return "What a network learns from its labels"
    return "How much a network can learn by heart" if has_capacity else "Runs of Rote"


def question(study: Study) -> str:
    """What was done and why, for a reader who knows nothing of it."""
    condition = (study.random() or list(study.conditions))[0]
    images = f"{count(study.images)} images" if study.images else "the training images"
    classes = condition.first.num_classes
    which = f" of {classes} classes" if classes else ""
    if not study.random():
        kinds = {"true": "their true labels", "fresh": "labels drawn by lot anew at every visit"}
        labels = " and with ".join(kinds.get(kind, kind) for kind in dict.fromkeys(c.labels for c in study.conditions))
        return f"A network ({study.model}) was trained on {images} of “{study.data}”{which}, with {labels}."
    return (
        f"A neural network ({study.model}) was trained on {images} of “{study.data}”{which}, each with a "
        "label drawn by lot. Nothing in an image explains its label, so there is nothing to understand: "
        "to be right, the network must learn the whole list by heart. What becomes of the rest of the "
        "network when it does? Does it learn to see anything on the way, and does it matter whether it is "
        "shown the very same pictures again and again, or a new view of each every time?"
    )


def in_short(condition: Condition) -> str:
    """The outcome of one condition in one sentence."""
    clean, probe, raw = (
        condition.number("train_accuracy"),
        condition.number("probe_accuracy"),
        condition.raw_probe(),
    )
    if clean is None or probe is None:
        return ""
    bar, name = _baseline(condition)
    text = (
        f"{'With' if condition.augmented else 'Without'} augmentation the network gives "
        f"{estimate_percent(clean)} of the training images the label drawn for them, and the true class of "
        f"{estimate_percent(probe)} of the test images can be read from its encoder"
    )
    if raw is not None and bar is not None:
        text += f"; {name} it is {percent(bar)}"
    return text + "."


def _baseline(condition: Condition) -> tuple[float | None, str]:
    """The better of raw pixels and the untrained network, and its name."""
    raw, init = condition.raw_probe(), condition.number("probe_accuracy_init")
    if init is not None and (raw is None or init.mean > raw.mean):
        return init.mean, "before training"
    return (None, "") if raw is None else (raw.mean, "from raw pixels")


def procedure(study: Study) -> list[str]:
    """What was done, step by step."""
    condition = (study.random() or list(study.conditions))[0]
    run = condition.first
    images = f"the {count(study.images)} training images" if study.images else "the training images"
    classes = f" among {run.num_classes} classes" if run.num_classes else ""
    steps, batch = condition.steps, finite(run.setting("batch_size"))
    amount = f" {count(steps)} update steps" if steps else ""
    if steps and batch:
        amount += f" of {count(batch)} images each"
    if steps and batch and study.images:
        amount += f", so every image was visited about {count(steps * batch / study.images)} times"
    probe = run.probe_settings
    test = f"of {count(probe['n_queries'])} test images" if "n_queries" in probe else "test image"
    neighbours = f"{probe['k']} training images" if "k" in probe else "training images"
    items = []
    if study.random():
        items.append(f"Each of {images} got a label by lot{classes}. The list was drawn once and then kept.")
    items.append(
        f"The network was trained to answer with these labels:{amount}." if amount else "The network was trained."
    )
    names = list(dict.fromkeys(c.augment for c in study.conditions if c.augmented))
    recipes = f"the recipe{'s' if len(names) > 1 else ''} " + ", ".join(f"“{name}”" for name in names)
    if {c.augmented for c in study.conditions} == {True, False}:
        items.append(
            "Once with augmentation: at every visit an image comes in a new view, changed at random by "
            f"{recipes}. And once without: always the very same pixels."
        )
    elif names:
        items.append(f"At every visit an image came in a new view, changed at random by {recipes}.")
    elif study.conditions:
        items.append("No augmentation: an image always came with the very same pixels.")
    items.append(
        "Two things were measured: whether the network knows its list, and whether it can see. For the "
        f"second, the probe, the true class of each {test} is guessed by a vote of the {neighbours} "
        "nearest to it inside the network. The true classes serve to measure; the network was never told "
        "them."
        if study.random()
        else "Measured were the labels it came to know, and the probe: true classes read from its encoder."
    )
    return items


def card_notes(condition: Condition) -> str:
    """What stands under the numbers of a condition: how many seeds, and the interval of the gain."""
    interval = condition.gain_interval()
    text = several(len(condition.runs), "seed").capitalize()
    if interval is not None:
        between = " between seeds" if len(condition.runs) >= 3 else ""
        text += f". 95 % interval of the gain{between}: {points_interval(interval)} points"
    if len(set(condition.verdicts)) > 1:
        kinds = [f"{kind} in {condition.verdicts.count(kind)}" for kind in dict.fromkeys(condition.verdicts)]
        text += f". Verdicts: {', '.join(kinds)}"
    return text + "."


def curve_finding(condition: Condition) -> str:
    """When the labels were known by heart, and when the probe passed its baseline."""
    clean = condition.mean_curve("train", "accuracy_clean")
    probe = condition.mean_curve("test", "probe_accuracy", condition.headline_layer)
    parts = []
    if clean:
        step = _reached(clean, MEMORIZED)
        end = percent(clean.values[-1])
        kind = f"{condition.labels.capitalize()} labels"
        parts.append(
            f"{kind} known to 99 % from step {count(step)} on."
            if step is not None
            else f"{kind} not memorized: {end} of the training images at the end."
        )
    bar, name = _baseline(condition)
    if probe and bar is not None:
        step = _reached(probe, bar)
        parts.append(
            f"The probe stands above the better baseline ({percent(bar)} {name}) from step {count(step)} on."
            if step is not None
            else f"The probe ends at {percent(probe.values[-1])}, below the better baseline ({percent(bar)} {name})."
        )
    return " ".join(parts)


def _reached(curve: Curve, level: float) -> int | None:
    """The first measured step from which a curve stays at or above a level."""
    first = None
    for step, value in zip(curve.steps, curve.values, strict=True):
        if value < level:
            first = None
        elif first is None:
            first = step
    return first


def control_findings(study: Study) -> list[str]:
    """The comparisons that tell causes apart, each as one sentence with its paired difference."""

    def one(labels: str, augmented: bool) -> Condition | None:
        found = study.find(labels, augmented)
        return found[0] if len(found) == 1 else None

    def difference(left: Condition | None, right: Condition | None) -> str | None:
        if left is None or right is None:
            return None
        found = paired_difference(left, right, lambda run: run.number("probe_accuracy"))
        if found is None:
            return None
        text = f"{points(found.mean)} points"
        if found.interval is not None:
            text += f" (95 % interval {points_interval(found.interval)})"
        return f"{text}, {several(len(found.values), 'seed')}"

    sentences = [
        ("With augmentation against without, random labels", one("random", True), one("random", False)),
        (
            "Random labels that stay the same against labels redrawn at every visit, with augmentation",
            one("random", True),
            one("fresh", True),
        ),
        ("True labels against random labels, with augmentation", one("true", True), one("random", True)),
    ]
    found = [(text, difference(left, right)) for text, left, right in sentences]
    return [f"{text}: {value}." for text, value in found if value is not None]


def steps_note(study: Study) -> str:
    """Whether the conditions of a study may be compared."""
    if study.equal_steps:
        steps = next((c.steps for c in study.conditions if c.steps is not None), None)
        return f"All conditions made {count(steps)} update steps." if steps else ""
    each = ", ".join(f"{study.name_of(c)}: {count(c.steps)}" for c in study.conditions if c.steps is not None)
    return f"Caution: the conditions made different numbers of update steps ({each}): no strict comparison."


def layer_finding(condition: Condition) -> str:
    """Where the probe stands highest, and what is left of it in the last layer."""
    finals = {layer: condition.layer_probe(layer, "final") for layer in condition.layers}
    known = {layer: found.mean for layer, found in finals.items() if found is not None}
    if not known:
        return ""
    best = max(known, key=lambda layer: known[layer])
    side = "the projector" if in_projector(best) else "the encoder"
    name = "its output" if best == "encoder" else f"“{short_layer(best)}”"
    last = list(known)[-1]
    text = f"Best in {side} ({name}): {percent(known[best])}"
    return text + (f"; in the last layer {percent(known[last])}." if last != best else ".")


def capacity_finding(condition: Condition) -> str:
    """How far every label mode could be fitted."""
    parts = []
    for mode, words in (
        ("random", "With a label of its own for every view,"),
        ("same", "With one label per image,"),
    ):
        table = capacity_table(condition, mode, "accuracy_pool")
        if not table:
            continue
        fitted = [views for views, found in table.items() if found.mean >= MEMORIZED]
        largest = max(table)
        end = percent(table[largest].mean)
        limited = " (budget-limited)" if largest in budget_limited(condition, mode) else ""
        if not fitted:
            parts.append(f"{words} no pool was fitted to 99 %; at B = {largest} it is {end}{limited}.")
        elif max(fitted) == largest:
            parts.append(f"{words} every pool was fitted, up to B = {largest} ({end}{limited}).")
        else:
            parts.append(
                f"{words} pools up to B = {max(fitted)} were fitted to 99 %; at B = {largest} it is {end}{limited}."
            )
    return " ".join(parts)


def bits_finding(condition: Condition) -> str:
    """The most that a parameter came to hold."""
    bits = capacity_table(condition, "random", "bits_per_parameter")
    if not bits:
        return ""
    best = max(bits, key=lambda views: bits[views].mean)
    return f"With own labels, a parameter holds at most {significant(bits[best].mean)} bits, at B = {best}."


def _joined(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
