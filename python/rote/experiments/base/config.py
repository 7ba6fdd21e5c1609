"""The config fields that every experiment has. An experiment adds its own in a subclass."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from rote.train import Seeds, TrainConfig


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """What every experiment can be told; each field is an option of `rote run`."""

    name_of_experiment: ClassVar[str]
    semantics: ClassVar[int]
    """Raised whenever the same config would give other numbers, so that old runs are not taken for new ones."""

    data: str = "digits"
    """Data set: digits, cifar10 or folder (train/<class>/*.jpg|png and test/...)."""
    root: Path | None = None
    """Folder of the data set; digits needs none."""
    size: int | None = None
    """Side in pixels that the images of `--data folder` are resized to."""
    decoder: Literal["auto", "pillow", "dali"] = "auto"
    """Who decodes the pictures of `--data folder`; auto is DALI where it is installed. config.json records it."""
    images: int | None = None
    """Train on the first N of a seeded class-balanced order; all by default."""
    augment: str = "none"
    """Augmentation recipe by name (`rote augment list`), strength-<s> for the papers' dial, s in [0, 1], <name>@<s> for
    a recipe with its magnitudes scaled by s, or same-class: other real images of its class in the place of an image."""
    mixup: Literal["none", "inputs", "labels"] = "none"
    """MixUp behind the recipe: of inputs alone, as in the papers' released code, or of labels too."""
    mixup_p: float = 0.8
    """Share of views that MixUp mixes."""
    model: str = "convnet"
    """Network: convnet, mlp, resnet18, resnet50, vgg16, vit-tiny; small-inception, small-alexnet, zhang-mlp, wrn-28-1,
    closer-look-cnn."""
    width: int | None = None
    """Width dial of the network; its own default if not given."""
    depth: int | None = None
    """Depth dial of the network; its own default if not given."""
    projector_width: int | None = None
    """Hidden width of the projector; the network's default if not given."""
    norm: Literal["batch", "group", "layer", "none"] = "batch"
    """Normalization of the encoder."""
    loss: Literal["mse", "ce"] = "mse"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    label_smoothing: float = 0.0
    """Share of a label that cross-entropy spreads over all classes."""
    optimizer: Literal["adam", "sgd", "lars", "muon"] = "adam"
    """Optimizer."""
    momentum: float = 0.9
    """Momentum of sgd, lars and muon."""
    weight_decay: float = 0.0
    """Weight decay."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "cosine"
    """Learning rate over the run; a constant-rate run can be extended by more epochs."""
    warmup_epochs: int = 0
    """Epochs of linear warm-up before the schedule; one-cycle has its own."""
    epochs: int = 900
    """Visits of each image."""
    batch_size: int = 128
    """Images per step; a last partial batch is dropped."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the network; auto is bfloat16 on CUDA and float32 on the CPU."""
    label_classes: int | None = None
    """Classes that random labels are drawn from; those of the data by default."""
    bn: Literal["recalibrated", "running"] = "recalibrated"
    """Batch-norm statistics of probes and clean accuracy: recomputed on clean images, or the running ones."""
    k: int = 20
    """Neighbours of the probe."""
    seed: int = 0
    """Fills in every seed that is not given."""
    data_seed: int | None = None
    """Seed of the subset of images."""
    label_seed: int | None = None
    """Seed of random labels."""
    init_seed: int | None = None
    """Seed of the initialization."""
    order_seed: int | None = None
    """Seed of the order of the images."""
    view_seed: int | None = None
    """Seed of the augmented views."""
    device: str = "auto"
    """Device: auto, cpu or cuda."""
    execution: Literal["auto", "eager", "compiled", "graph"] = "auto"
    """How a step runs: as it is written, through torch.compile, or as one CUDA graph; auto is a graph on CUDA."""
    out: Path = Path("runs")
    """Folder that run folders are made in."""
    name: str | None = None
    """Name of the run folder, in place of <experiment>-<hash of the config>."""
    fresh: bool = False
    """Start over, removing what the run folder holds."""
    keep_checkpoints: tuple[int, ...] = ()
    """Epochs whose weights are kept in checkpoints/."""

    def __post_init__(self) -> None:
        for field in ("images", "size", "k", "epochs", "batch_size", "width", "depth", "projector_width"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"{_option(field)} must be at least 1; got {value}")
        for field in ("mixup_p", "label_smoothing"):
            if not 0 <= getattr(self, field) <= 1:
                raise ValueError(f"{_option(field)} must be in [0, 1]; got {getattr(self, field)}")
        if self.warmup_epochs < 0:
            raise ValueError(f"--warmup-epochs must not be negative; got {self.warmup_epochs}")
        if self.label_classes is not None and self.label_classes < 2:
            raise ValueError(f"--label-classes must be at least 2; got {self.label_classes}")
        if any(epoch < 0 for epoch in self.keep_checkpoints):
            raise ValueError(f"--keep-checkpoints must be epochs from 0 on; got {self.keep_checkpoints}")
        if self.name is not None and (not self.name or Path(self.name).name != self.name):
            raise ValueError(f"--name must be the name of a folder, without a path; got {self.name!r}")

    @property
    def extensible(self) -> bool:
        """Whether more epochs go on with the same run, which an annealed learning rate forbids."""
        return self.schedule == "constant"

    def benign_runs(self) -> list[Any]:
        """Every `benign` run that this experiment rests on, made before it; none by default."""
        return []

    def resolved(self) -> Self:
        """The config with every seed filled in."""
        seeds = ("data_seed", "label_seed", "init_seed", "order_seed", "view_seed")
        return dataclasses.replace(
            self, **{field: self.seed if getattr(self, field) is None else getattr(self, field) for field in seeds}
        )

    def network_options(self, image_size: Sequence[int]) -> dict[str, Any]:
        """Arguments of `rote.models.build` beside those that every network has; none by default.

        Args:
            image_size: (height, width) of the data's images.
        """
        return {}

    def num_label_classes(self, images: int, data_classes: int) -> int:
        """Classes of the labels trained on.

        Args:
            images: number of images trained on.
            data_classes: classes of the data.
        """
        return self.label_classes or data_classes

    def seeds(self) -> Seeds:
        """The five seeds; ValueError where one is not a 64-bit number."""
        config = self.resolved()
        return Seeds(
            data=config.data_seed,
            label=config.label_seed,
            init=config.init_seed,
            order=config.order_seed,
            view=config.view_seed,
        )

    def training(self, **changes: Any) -> TrainConfig:
        """The part of the config that the trainer reads."""
        own = {field.name for field in dataclasses.fields(self)}
        shared = {f.name: getattr(self, f.name) for f in dataclasses.fields(TrainConfig) if f.name in own}
        return TrainConfig(**{**shared, **changes})

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values, as config.json stores them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """The config of an earlier run, out of its config.json.

        Where the run was put, and that it was started over, belong to that command and are not taken along.

        Raises:
            ValueError: a field that this experiment does not have.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(set(stored) - set(fields))
        if unknown:
            raise ValueError(f"the stored config has fields that {cls.name_of_experiment} does not: {unknown}")
        values = {}
        for key, value in stored.items():
            if key in ("out", "name", "fresh"):
                continue
            if isinstance(value, list):
                value = tuple(value)
            if key == "root" and value is not None:
                value = Path(value)
            values[key] = value
        return cls(**values)


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")
