"""The trainer: a stream of addressed views, a few losses and optimizers, and checkpoints that resume to the bit."""

from __future__ import annotations

from rote.train.adversarial import AdversarialLoss
from rote.train.callbacks import Callback
from rote.train.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)
from rote.train.config import Seeds, TrainConfig
from rote.train.current_samples import CurrentSamples
from rote.train.distributed import DataParallel, first_process, torchrun_count, torchrun_processes
from rote.train.divergence import TrainingDiverged
from rote.train.labels import (
    CARRIES_INFORMATION,
    LABEL_CORRUPTIONS,
    LabelSource,
    corrupt_labels,
    random_labels,
    redraw_labels,
)
from rote.train.memory import TrainingOutOfMemory
from rote.train.progress import Progress
from rote.train.regularization import Regularizers, regularize_layers
from rote.train.regularized_stream import RegularizedStream
from rote.train.replica_checkpoint import load_replicas, save_replicas
from rote.train.replicas import ReplicaTrainer, batching_pays
from rote.train.running import Running, RunningEpoch
from rote.train.snapshot import Snapshots
from rote.train.stream import TrainingStream
from rote.train.trainer import Trainer

__all__ = [
    "CARRIES_INFORMATION",
    "LABEL_CORRUPTIONS",
    "AdversarialLoss",
    "Callback",
    "CheckpointError",
    "CurrentSamples",
    "DataParallel",
    "LabelSource",
    "Progress",
    "RegularizedStream",
    "Regularizers",
    "ReplicaTrainer",
    "Running",
    "RunningEpoch",
    "Seeds",
    "Snapshots",
    "TrainConfig",
    "Trainer",
    "TrainingDiverged",
    "TrainingOutOfMemory",
    "TrainingStream",
    "batching_pays",
    "corrupt_labels",
    "first_process",
    "load_checkpoint",
    "load_replicas",
    "load_weights",
    "random_labels",
    "redraw_labels",
    "regularize_layers",
    "save_checkpoint",
    "save_replicas",
    "save_weights",
    "torchrun_count",
    "torchrun_processes",
]
