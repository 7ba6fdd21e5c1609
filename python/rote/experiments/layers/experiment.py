"""`layers`: where in the network the signal and the noise sit (arXiv 2210.14019, E3).

Every layer of a `benign` run's network is asked twice, at initialization and at the end: for the true labels of images
it never saw, and for the labels it was given. The first rises with depth while the network learns features, the second
only where it stores labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.launch import launch
from rote.experiments.examining.analysis import AnalysisConfig
from rote.experiments.examining.examined import ExaminedRun, view_recipe
from rote.experiments.layers.run import LayersRun
from rote.models import POOLINGS
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class LayersConfig(AnalysisConfig):
    """Options of `rote run layers`."""

    name_of_experiment: ClassVar[str] = "layers"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Layer by layer: the true labels and the labels given"

    pooling: Literal["average", "flatten", "max", "grid2"] = "average"
    """What becomes of the positions of a layer: averaged, all kept, their maximum, or averages over a 2 x 2 grid."""
    loo_views: int = 0
    """Views of each image that stand among the references of the labels used, beside the images themselves."""
    linear_views: int = 4
    """Views of each image that the linear probe on the labels used is fitted on; as many others test it."""
    view_recipe: str | None = None
    """Recipe of those views; that of training by default."""
    linear_images: int = 10_000
    """Most images a linear probe is fitted on, the first of the class-balanced order."""
    linear_c: float = 1.0
    """Inverse strength of the linear probe's penalty, on standardized features (scikit-learn's C)."""
    finetune: bool = False
    """Also train on true labels, from the trained encoder and from the initial one, in equally many steps."""
    finetune_epochs: int = 60
    """Visits of each image in that training."""
    finetune_lr: float = 1e-3
    """Peak learning rate of that training, one-cycle."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pooling not in POOLINGS:
            raise ValueError(f"--pooling must be one of {', '.join(POOLINGS)}; got {self.pooling!r}")
        if self.loo_views < 0:
            raise ValueError(f"--loo-views must not be negative; got {self.loo_views}")
        for field in ("linear_views", "linear_images", "finetune_epochs"):
            if getattr(self, field) < 1:
                raise ValueError(f"--{field.replace('_', '-')} must be at least 1; got {getattr(self, field)}")
        for field in ("linear_c", "finetune_lr"):
            if not 0 < getattr(self, field) < float("inf"):
                raise ValueError(f"--{field.replace('_', '-')} must be positive; got {getattr(self, field)}")


def layers(
    config: LayersConfig | None = None,
    *,
    model: str | nn.Module | None = None,
    data: str | ImageBank | None = None,
    taps: list[str] | None = None,
    **fields: Any,
) -> Run:
    """Examines a `benign` run layer by layer, making that run first where it is missing.

    Args:
        config: the options, those of the run among them; or give fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, of which a copy is trained.
        data: a data set's name, or a bank of your own.
        taps: with an own module, the submodules to examine, in depth order; the last one ends the encoder.
        **fields: fields of `LayersConfig`.

    Returns:
        The finished run; layers.csv holds a row for each measurement (docs/experiments.md).

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: a run folder is another run's, or in use.
        Stopped: Ctrl-C; what is measured is saved.

    Example:
        >>> run = rote.experiments.layers(data="digits", images=256, augment="digits", epochs=200)
        >>> run.summary["best_encoder_layer"]
    """
    start = launch(config or LayersConfig(), model=model, data=data, taps=taps, fields=fields)
    images = len(start.inputs.image_ids)
    if start.config.k >= images:
        raise ValueError(f"--k must be below --images {images}, since no image votes on itself; got {start.config.k}")
    views = view_recipe(start.config.view_recipe, start.inputs.recipe)
    if start.config.loo_views and views is None:
        raise ValueError(
            f"--loo-views needs a recipe whose views differ; got --augment {start.config.augment}, so name another "
            "with --view-recipe"
        )
    if not start.finished:
        examined = ExaminedRun(start.config.benign(fresh=False), start, model=model, data=data, taps=taps)
        with start.place.open(fresh=start.config.fresh) as folder:
            LayersRun(start.config, start.inputs, examined, views, folder).to_the_end()
    return Run(start.place.path)
