"""`invariance`: which layers make the views of an image alike, by operation (arXiv 2210.14019 read as invariance
learning; reference E9).

An invariance of 1 is also what collapsed features have, so whether a view still finds its image stands beside every
value, and what the layer gave at initialization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.launch import launch
from rote.experiments.examining.analysis import AnalysisConfig
from rote.experiments.examining.examined import ExaminedRun, view_recipe
from rote.experiments.invariance.run import InvarianceRun
from rote.experiments.invariance.transformations import transformations
from rote.models import POOLINGS
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class InvarianceConfig(AnalysisConfig):
    """Options of `rote run invariance`."""

    name_of_experiment: ClassVar[str] = "invariance"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "How alike each layer makes the views of an image, by operation"

    view_recipe: str | None = None
    """Recipe whose views are compared; that of training by default."""
    invariance_images: int = 512
    """Images of each split, or as many as it has: of those trained on, and of the test images."""
    pairs: int = 2
    """Pairs of views of each image."""
    pooling: Literal["average", "flatten", "max", "grid2"] = "average"
    """What becomes of the positions of a layer: averaged, all kept, their maximum, or averages over a 2 x 2 grid."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pooling not in POOLINGS:
            raise ValueError(f"--pooling must be one of {', '.join(POOLINGS)}; got {self.pooling!r}")
        if self.invariance_images < 2:
            raise ValueError(f"--invariance-images must be at least 2; got {self.invariance_images}")
        if self.pairs < 1:
            raise ValueError(f"--pairs must be at least 1; got {self.pairs}")


def invariance(
    config: InvarianceConfig | None = None,
    *,
    model: str | nn.Module | None = None,
    data: str | ImageBank | None = None,
    taps: list[str] | None = None,
    **fields: Any,
) -> Run:
    """Measures the invariance of a `benign` run's layers, making that run first where it is missing.

    Args:
        config: the options, those of the run among them; or give fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, of which a copy is trained.
        data: a data set's name, or a bank of your own.
        taps: with an own module, the submodules to examine, in depth order; the last one ends the encoder.
        **fields: fields of `InvarianceConfig`.

    Returns:
        The finished run; invariance.csv holds a row for each measurement (docs/experiments.md).

    Raises:
        ValueError: an option that does not fit the data or the network; a recipe whose views are all alike; fewer than
            two images.
        RunMismatch, RunLocked: a run folder is another run's, or in use.
        Stopped: Ctrl-C; what is measured is saved.

    Example:
        >>> run = rote.experiments.invariance(data="digits", images=256, augment="digits", epochs=200)
        >>> run.summary["invariance_encoder_init"], run.summary["invariance_encoder"]
    """
    start = launch(config or InvarianceConfig(), model=model, data=data, taps=taps, fields=fields)
    recipe = view_recipe(start.config.view_recipe, start.inputs.recipe)
    compared = [] if recipe is None else transformations(recipe)
    if not compared:
        raise ValueError(
            f"invariance compares views that differ; got --augment {start.config.augment}, so name another recipe with "
            "--view-recipe"
        )
    if min(len(start.inputs.image_ids), len(start.inputs.bank.test)) < 2:
        raise ValueError("invariance compares images; there must be at least two to train on and two to test on")
    if not start.finished:
        examined = ExaminedRun(start.config.benign(fresh=False), start, model=model, data=data, taps=taps)
        with start.place.open(fresh=start.config.fresh) as folder:
            InvarianceRun(start.config, examined, compared, folder).to_the_end()
    return Run(start.place.path)
