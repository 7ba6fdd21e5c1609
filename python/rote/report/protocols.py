"""Which runs are the main experiment, and which turn one of its dials: the number of views, the loss, ..."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from rote.report.conditions import Condition, Study
from rote.report.records import Run

# Settings that a series of runs varies; the main experiment holds them still.
DIALS = ("views", "loss", "norm", "label_classes", "noise", "mixup")
_NOTHING = (None, 0, 0.0, False, "none", "")


def dial(run: Run, name: str) -> Any:
    """The setting of one dial as the summary or the config states it; "off" values are None."""
    value = run.summary.get(name)
    if value is None:
        value = run.setting(name)
    return None if name in ("views", "noise", "mixup") and value in _NOTHING else value


def main(study: Study, examined: Collection[str] = ()) -> Study:
    """The study without the runs that turn a dial.

    Main is the setting of all dials under which most kinds of labels, with and without augmentation, were run;
    among equals the one without a limit on views, then with the most seeds, then the first. Of three and more
    augmented recipes with random labels one is kept: that of the controls, else one that other experiments examined,
    else the one with the most seeds, else the first.

    Args:
        study: all conditions.
        examined: recipes of the runs that examine networks: their layers, their invariance.
    """
    groups: dict[tuple[Any, ...], list[Condition]] = {}
    for condition in study.conditions:
        groups.setdefault(tuple(dial(condition.first, name) for name in DIALS), []).append(condition)

    def weight(key: tuple[Any, ...]) -> tuple[int, bool, int]:
        kinds = {(c.labels, c.augmented) for c in groups[key]}
        return len(kinds), key[0] is None, sum(len(c.runs) for c in groups[key])

    kept = groups[max(groups, key=weight)]
    recipes = list(dict.fromkeys(c.augment for c in kept if c.augmented and c.labels == "random"))
    if len(recipes) > 2:
        controls = {c.augment for c in kept if c.labels != "random"}

        def standing(recipe: str) -> tuple[bool, bool, int]:
            seeds = sum(len(c.runs) for c in kept if c.augment == recipe)
            return recipe in controls, recipe in examined, seeds

        chosen = max(recipes, key=standing)
        kept = [c for c in kept if not c.augmented or c.augment == chosen]
    return Study(study.data, study.model, study.images, tuple(kept))


def turning(study: Study, base: Study, *names: str, keep: Callable[[Condition], bool]) -> list[Run]:
    """The runs of a study whose other dials are those of its main part `base`, the named ones free."""
    first = base.conditions[0].first
    fixed = [name for name in DIALS if name not in names]
    return [
        run
        for condition in study.conditions
        if keep(condition) and all(dial(condition.first, name) == dial(first, name) for name in fixed)
        for run in condition.runs
    ]
