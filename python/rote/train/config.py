"""rote/train/config.py: what a training run is made of, as frozen values."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import torch


@dataclass(frozen=True)
class Seeds:
    """The separate sources of chance of one run, each a 64-bit seed.

    Equal numbers do not correlate the sources: each reads streams of its own (rote.address), and the initialization
    uses a torch generator.

    Attributes:
        data: which images are trained on.
        label: random labels.
        init: the network's weights.
        order: the order of the images in an epoch, and which view of a pool a visit shows.
        view: the augmentations.
    """

    data: int = 0
    label: int = 0
    init: int = 0
    order: int = 0
    view: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"the {field.name} seed must be an int; got {value!r}")
            if not 0 <= value < 2**64:
                raise ValueError(f"the {field.name} seed must be in [0, 2**64); got {value}")

    @classmethod
    def from_seed(cls, seed: int) -> Seeds:
        """All five sources from one number."""
        return cls(seed, seed, seed, seed, seed)


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; the defaults are those of the small laptop runs.

    Attributes:
        model: name for `rote.models.build`.
        width: width dial of the network; None is the network's default.
        depth: depth dial of the network; None is the network's default.
        projector_width: hidden width of the projector; None is the network's default.
        norm: "batch", "group", "layer" or "none".
        loss: "mse" (arXiv 2210.14019: raw outputs against the one-hot label, mean over batch and classes) or "ce".
        label_smoothing: share of a label that cross-entropy spreads over all classes, in [0, 1]; 0 with "mse".
        optimizer: "adam", "sgd", "lars" or "muon".
        lr: learning rate, the peak of an annealed schedule.
        momentum: of sgd, lars and muon; Adam's first beta stays 0.9.
        weight_decay: L2 penalty added to the gradient; of muon decoupled from it; of lars not for biases and norms.
        schedule: "constant", "step" (a tenth after each third), "cosine", "one-cycle" or "exponential" (times `decay`
            after every `decay_epochs` epochs).
        decay: factor of the exponential schedule, in (0, 1].
        decay_epochs: epochs between two of its steps.
        warmup_epochs: epochs of linear warm-up before the schedule; 0 with "one-cycle", which has its own.
        epochs: passes over the images; a last partial batch is dropped.
        batch_size: images per step.
        precision: "float32", "bfloat16" (autocast), "float64" (weights and all; pixels are rendered in float32)
            or "auto": bfloat16 on CUDA, float32 on the CPU.
        device: "cpu", "cuda", "cuda:1", ... or "auto": CUDA where there is one.
        execution: how a step runs, "eager", "compiled" (torch.compile), "graph" (one CUDA graph) or "auto": a graph on
            CUDA, eager on the CPU.
    """

    model: str = "convnet"
    width: int | None = None
    depth: int | None = None
    projector_width: int | None = None
    norm: Literal["batch", "group", "layer", "none"] = "batch"
    loss: Literal["mse", "ce"] = "mse"
    label_smoothing: float = 0.0
    optimizer: Literal["adam", "sgd", "lars", "muon"] = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Literal["constant", "step", "cosine", "one-cycle", "exponential"] = "cosine"
    decay: float = 0.95
    decay_epochs: int = 1
    warmup_epochs: int = 0
    epochs: int = 900
    batch_size: int = 128
    precision: Literal["auto", "float32", "bfloat16", "float64"] = "auto"
    device: str = "auto"
    execution: Literal["auto", "eager", "compiled", "graph"] = "auto"

    def __post_init__(self) -> None:
        choices = {
            "norm": ("batch", "group", "layer", "none"),
            "loss": ("mse", "ce"),
            "optimizer": ("adam", "sgd", "lars", "muon"),
            "schedule": ("constant", "step", "cosine", "one-cycle", "exponential"),
            "precision": ("auto", "float32", "bfloat16", "float64"),
            "execution": ("auto", "eager", "compiled", "graph"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}; got {getattr(self, name)!r}")
        for name in ("epochs", "batch_size", "decay_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr must be positive and finite; got {self.lr}")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must be in (0, 1]; got {self.decay}")
        if not 0 <= self.label_smoothing <= 1:
            raise ValueError(f"label_smoothing must be in [0, 1]; got {self.label_smoothing}")
        if self.label_smoothing != 0 and self.loss == "mse":
            raise ValueError(
                f"label_smoothing must be 0 with loss='mse', it is one of 'ce'; got {self.label_smoothing}"
            )
        if self.warmup_epochs < 0:
            raise ValueError(f"warmup_epochs must not be negative; got {self.warmup_epochs}")
        if 0 < self.epochs <= self.warmup_epochs:
            raise ValueError(f"warmup_epochs must be less than epochs, {self.epochs}; got {self.warmup_epochs}")
        if self.warmup_epochs > 0 and self.schedule == "one-cycle":
            raise ValueError(f"warmup_epochs must be 0 with schedule='one-cycle'; got {self.warmup_epochs}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be in [0, 1); got {self.momentum}")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay must not be negative; got {self.weight_decay}")

    def resolved_device(self) -> torch.device:
        """The device of this run; ValueError where it is none, or CUDA is asked for and there is none."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
        except RuntimeError:
            raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:<number>'; got {self.device!r}") from None
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"device must be 'cpu' or 'auto' on this machine; got {self.device!r}, no CUDA device")
        return device

    def resolved_precision(self) -> torch.dtype:
        """torch.bfloat16, torch.float32 or torch.float64: the type of the pixels, of autocast or of float64 weights."""
        if self.precision == "auto":
            return torch.bfloat16 if self.resolved_device().type == "cuda" else torch.float32
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}[self.precision]
