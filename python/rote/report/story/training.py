"""What the curves along training and the controls show."""

from __future__ import annotations

from rote.report.conditions import Condition, Study, baseline, paired_difference
from rote.report.numbers import count, percent, points, points_interval, several
from rote.report.records import Curve

MEMORIZED = 0.99  # clean accuracy from which labels count as known by heart
# A probe this little above its baseline stands on it: at step 0 it is the untrained network's own, summed anew.
_NO_MORE = 1e-6


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
    bar, name = baseline(condition)
    if probe and bar is not None:
        step = _reached(probe, bar + _NO_MORE)
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
