"""The headline, what was done, and the outcome in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.conditions import Condition, Study, baseline
from rote.report.numbers import count, percent, points_interval, several
from rote.report.records import finite


def headline(studies: Sequence[Study], headings: Sequence[str] = ()) -> str:
    """The page's title line: the outcome, in the words the verdicts allow.

    Args:
        studies: those of `benign` runs.
        headings: where there are none, the sections that have found something.
    """
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
    if any(study.random() for study in studies):
        return "Random labels, still being learnt"
    if any(study.conditions for study in studies):
        return "What a network learns from its labels"
    return headings[0] if len(headings) == 1 else "Runs of Rote"


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
    bar, name = baseline(condition)
    text = (
        f"{'With' if condition.augmented else 'Without'} augmentation the network gives "
        f"{percent(clean.mean)} of the training images the label drawn for them, and the true class of "
        f"{percent(probe.mean)} of the test images can be read from its encoder"
    )
    if raw is not None and bar is not None:
        text += f"; {name} it is {percent(bar)}"
    return text + "."


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


def _joined(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
