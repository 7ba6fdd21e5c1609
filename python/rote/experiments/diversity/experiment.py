"""`diversity`: memorization and features against how different the views of an image are (arXiv 2210.14019, E6).

One `benign` run for each recipe, or for each strength on a dial. They are compared after equally many steps and where
each has memorized equally much, and diversity is also measured as a distance between views.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.launch import launch
from rote.experiments.benign import BenignConfig
from rote.experiments.examining.analysis import AnalysisConfig
from rote.experiments.examining.conditions import Condition, condition, shared_facts, trained
from rote.experiments.inputs.view_source import AT, recipe_named
from rote.runs import Run
from rote.statistics import spearman

RAND_AUGMENT, SCALED = "rand-augment", "scaled"


@dataclass(frozen=True, kw_only=True)
class DiversityConfig(AnalysisConfig):
    """Options of `rote run diversity`."""

    name_of_experiment: ClassVar[str] = "diversity"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Diversity of views: what is memorized, and what is learnt, as augmentation gets stronger"

    augment: str = "benign-full"
    """The recipe that `--dial scaled` scales, by name."""
    recipes: tuple[str, ...] = ()
    """Recipes to compare, by name."""
    strengths: tuple[float, ...] = ()
    """Strengths on the dial; 0.2,0.4,0.6,0.8,1 if neither these nor recipes are given."""
    dial: Literal["rand-augment", "scaled"] = SCALED
    """What a strength is: the papers' RandAugment dial, in [0, 1], or every magnitude of `--augment` scaled by it."""
    matched: float = 0.9
    """Clean accuracy at which the recipes are compared as well."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dial not in (RAND_AUGMENT, SCALED):
            raise ValueError(f"--dial must be {RAND_AUGMENT} or {SCALED}; got {self.dial!r}")
        if not 0 < self.matched <= 1:
            raise ValueError(f"--matched must be in (0, 1]; got {self.matched}")
        if not self.recipes and not self.strengths:
            object.__setattr__(self, "strengths", (0.2, 0.4, 0.6, 0.8, 1.0))
        for field in ("recipes", "strengths"):
            values = getattr(self, field)
            if len(set(values)) != len(values):
                raise ValueError(f"--{field} must not repeat one; got {', '.join(map(str, values))}")
        if self.dial == SCALED and self.strengths and self.augment in ("none", "same-class"):
            raise ValueError(f"--dial {SCALED} scales the recipe of --augment; got {self.augment!r}")

    def recipe_at(self, strength: float) -> str:
        """The name of the recipe at a strength of the dial; ends that have a name of their own keep it, since such a
        run belongs to other comparisons as well.
        """
        if self.dial == RAND_AUGMENT:
            return f"strength-{strength:g}"
        return {0.0: "none", 1.0: self.augment}.get(strength, f"{self.augment}{AT}{strength:g}")

    def conditions(self) -> list[Condition]:
        """One run for each recipe, then one for each strength, from weak to strong."""
        policies = [condition(self, {"recipe": name, "strength": None}, name) for name in self.recipes]
        dial = [(self.recipe_at(s), s) for s in sorted(self.strengths)]
        return policies + [condition(self, {"recipe": name, "strength": s}, name) for name, s in dial]

    def benign_runs(self) -> list[BenignConfig]:
        """The runs' options."""
        return [each.config for each in self.conditions()]


def diversity(
    config: DiversityConfig | None = None,
    *,
    model: str | nn.Module | None = None,
    data: str | ImageBank | None = None,
    taps: list[str] | None = None,
    **fields: Any,
) -> Run:
    """Trains under each recipe, with the same seeds and in equally many steps, making the runs that are missing.

    Args:
        config: the options; or give fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, of which copies are trained.
        data: a data set's name, or a bank of your own.
        taps: with an own module, the submodules to probe, in depth order.
        **fields: fields of `DiversityConfig`.

    Returns:
        The finished run; diversity.csv holds a row for each recipe (docs/experiments.md).

    Raises:
        ValueError: an option that does not fit the data or the network, an unknown recipe, or a strength off the dial.
        RunMismatch, RunLocked: a run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.

    Example:
        >>> run = rote.experiments.diversity(data="digits", images=128, augment="digits", strengths=(0.5, 1.0, 2.0))
        >>> run.summary["spearman_steps_strength"]
    """
    start = launch(config or DiversityConfig(), model=model, data=data, taps=taps, fields=fields)
    conditions = start.config.conditions()
    for each in conditions:  # all of them, before the first is trained for minutes
        if each.config.augment != "same-class":
            recipe_named(each.config.augment).output_size(start.inputs.bank.image_size)
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            made = list(trained(conditions, start, matched=start.config.matched, model=model, taps=taps))
            rows = [row for row, _ in made]
            folder.write_table("diversity.csv", rows)
            folder.write_summary(
                {
                    **on_the_dial([row for row in rows if row["strength"] is not None]),
                    "dial": start.config.dial,
                    "augment": start.config.augment,
                    "rows": rows,
                    **shared_facts([run for _, run in made]),
                }
            )
    return Run(start.place.path)


def on_the_dial(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the rows of a dial say together; a strength that never came to 90 % ranks as later than all that did.

    `optimum_strength` is where the probe at the end is highest. It is chosen on the numbers it is read from, so over
    seeds the choice belongs to the other seeds.
    """
    strengths = [row["strength"] for row in rows]
    steps = [math.inf if row["steps_to_90"] is None else row["steps_to_90"] for row in rows]
    best = max(rows, key=lambda row: row["probe_accuracy"], default=None)
    strongest = max(rows, key=lambda row: row["strength"], default=None)
    return {
        "strengths": strengths,
        "spearman_steps_strength": spearman(strengths, steps) if len(rows) > 1 else None,
        "optimum_strength": best and best["strength"],
        "optimum_probe": best and best["probe_accuracy"],
        "strongest_probe": strongest and strongest["probe_accuracy"],
    }
