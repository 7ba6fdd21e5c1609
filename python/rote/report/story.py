"""Sentences made from the numbers: headline, findings. Nothing is claimed here that the runs do not show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.conditions import Condition, Study, paired_difference
from rote.report.figures import budget_limited, capacity_table, in_projector, short_layer
from rote.report.numbers import count, estimate_percent, percent, points, points_interval, several, significant

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
        return f"A neural network ({study.model}) was trained on {images} of “{study.data}”{which}."
    return (
        f"A neural network ({study.model}) was trained on {images} of “{study.data}”{which}, each with a label drawn by lot. "
        "Nothing in an image explains its label, so there is nothing to understand: to be right, the network must learn the "
        "whole list by heart. What becomes of the rest of the network when it does? Does it learn to see "
        "anything on the way, and does it matter whether it is shown the very same pictures again and again, or a new view "
        "of each every time?"
    )


def card_notes(condition: Condition) -> str:
    """What stands under the numbers of a condition: how many seeds, and how the gain was reckoned."""
    gain, interval = condition.number("probe_gain"), condition.gain_interval()
    text = several(len(condition.runs), "seed")
    if gain is not None and interval is not None:
        between = "between seeds" if len(condition.runs) >= 3 else "of the single run"
        text += f"; the gain's 95 % interval ({between}) is {points_interval(interval)} points"
    if len(set(condition.verdicts)) > 1:
        kinds = [f"{kind} in {condition.verdicts.count(kind)}" for kind in dict.fromkeys(condition.verdicts)]
        text += f"; verdicts: {', '.join(kinds)}"
    return text + "."


def curve_finding(condition: Condition) -> str:
    """What one panel of curves shows."""
    clean, views = condition.number("train_accuracy"), condition.number("train_accuracy_fresh_views")
    probe, raw = condition.number("probe_accuracy"), condition.raw_probe()
    parts = []
    if clean is not None:
        known = "all but memorized" if clean.mean < MEMORIZED else "memorized"
        known = "not memorized" if clean.mean < 0.9 else known
        parts.append(f"{condition.labels.capitalize()} labels {known}: {estimate_percent(clean)} of the training images")
        if views is not None:
            parts[-1] += f", {estimate_percent(views)} of views never trained on"
        parts[-1] += "."
    if probe is not None:
        text = f"True classes read from the encoder: {estimate_percent(probe)}"
        if raw is not None:
            text += f", from raw pixels {estimate_percent(raw)}"
        init = condition.number("probe_accuracy_init")
        if init is not None:
            text += f", before training {estimate_percent(init)}"
        parts.append(text + ".")
    return " ".join(parts)


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
    return f"Caution: the conditions made different numbers of update steps ({each}), so they are not strictly comparable."


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
    """How far every label mode could be fitted, and how many bits a parameter came to hold."""
    parts = []
    for mode, words in (("random", "With a label of its own for every view"), ("same", "With one label per image")):
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
            parts.append(f"{words} pools up to B = {max(fitted)} were fitted to 99 %; at B = {largest} it is {end}{limited}.")
    bits = capacity_table(condition, "random", "bits_per_parameter")
    if bits:
        parts.append(f"At most {significant(max(found.mean for found in bits.values()))} bits a parameter were held.")
    return " ".join(parts)


def _joined(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
