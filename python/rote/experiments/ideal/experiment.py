"""`ideal`: what augmentations could do (arXiv 2210.14019, E5). The same images under none, under a recipe, and under
real other images of their class in the place of views.

An oracle by construction: choosing those images takes the true labels. It is an upper end, not a method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.launch import launch
from rote.experiments.benign import BenignConfig
from rote.experiments.examining.analysis import AnalysisConfig
from rote.experiments.examining.conditions import Condition, condition, shared_facts, trained
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class IdealConfig(AnalysisConfig):
    """Options of `rote run ideal`."""

    name_of_experiment: ClassVar[str] = "ideal"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Ideal augmentations: real images of the same class beside a recipe (an oracle)"

    augment: str = "benign-full"
    """The recipe that is compared with none and with real images of the class, by name."""
    matched: float = 0.9
    """Clean accuracy at which the conditions are compared as well."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.augment in ("none", SAME_CLASS):
            raise ValueError(f"--augment must be the recipe that is compared with none and with {SAME_CLASS}")
        if not 0 < self.matched <= 1:
            raise ValueError(f"--matched must be in (0, 1]; got {self.matched}")

    @property
    def shows_same_class(self) -> bool:
        """In one of its conditions."""
        return True

    def conditions(self) -> list[Condition]:
        """The three runs."""
        names = {"none": "none", "recipe": self.augment, SAME_CLASS: SAME_CLASS}
        return [condition(self, {"condition": name, "recipe": augment}, augment) for name, augment in names.items()]

    def benign_runs(self) -> list[BenignConfig]:
        """The three runs' options."""
        return [each.config for each in self.conditions()]


def ideal(
    config: IdealConfig | None = None,
    *,
    model: str | nn.Module | None = None,
    data: str | ImageBank | None = None,
    taps: list[str] | None = None,
    **fields: Any,
) -> Run:
    """Trains the three conditions that are missing, with the same seeds and in equally many steps.

    Args:
        config: the options; or give fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, of which copies are trained.
        data: a data set's name, or a bank of your own.
        taps: with an own module, the submodules to probe, in depth order.
        **fields: fields of `IdealConfig`.

    Returns:
        The finished run; ideal.csv holds a row for each condition (docs/experiments.md).

    Raises:
        ValueError: an option that does not fit the data or the network, or too few images left for a class.
        RunMismatch, RunLocked: a run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.

    Example:
        >>> run = rote.experiments.ideal(data="digits", images=128, augment="digits", epochs=200)
        >>> run.summary["difference"]
    """
    start = launch(config or IdealConfig(), model=model, data=data, taps=taps, fields=fields)
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            made = list(trained(start.config.conditions(), start, matched=start.config.matched, model=model, taps=taps))
            rows = [row for row, _ in made]
            probes = {row["condition"]: row["probe_accuracy"] for row in rows}
            folder.write_table("ideal.csv", rows)
            folder.write_summary(
                {
                    "probe_same_class": probes[SAME_CLASS],
                    "probe_recipe": probes["recipe"],
                    "probe_none": probes["none"],
                    "difference": probes[SAME_CLASS] - probes["recipe"],
                    "augment": start.config.augment,
                    "rows": rows,
                    **shared_facts([run for _, run in made]),
                }
            )
    return Run(start.place.path)
