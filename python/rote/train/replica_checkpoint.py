"""rote/train/replica_checkpoint.py: the state of a `ReplicaTrainer` on disk, whole or not at all."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rote.train.checkpoint import CheckpointError, different_fields, read_tensors, write_tensors
from rote.train.replicas import ReplicaTrainer


def save_replicas(path: str | os.PathLike[str], trainer: ReplicaTrainer, extra: dict[str, Any] | None = None) -> None:
    """Writes the trainer's whole state; `extra` (JSON values) is given back by `load_replicas`.

    Checks first that every active replica is finite; one that is not goes back to its last good state.
    """
    header = {"configs": [asdict(config) for config in trainer.configs], "extra": {} if extra is None else extra}
    write_tensors(Path(path), trainer.state_dict(), header)


def load_replicas(path: str | os.PathLike[str], trainer: ReplicaTrainer) -> dict[str, Any]:
    """Puts a trainer into a saved state; the next steps give the bits of an uninterrupted run.

    Args:
        path: a file of `save_replicas`.
        trainer: made from the same configs; device may differ, and epochs where the learning rate is constant.

    Returns:
        The caller's `extra` values.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: the file is damaged or of another run.
    """
    tensors, header = read_tensors(Path(path))
    saved = header.get("configs", [])
    if len(saved) != trainer.replicas:
        raise CheckpointError(f"{path}: the checkpoint must be of {trainer.replicas} replicas; got one of {len(saved)}")
    for config, theirs in zip(trainer.configs, saved, strict=True):
        if pairs := different_fields(config, theirs):
            raise CheckpointError(f"{path}: the checkpoint was trained with {pairs}")
    try:
        trainer.load_state_dict(tensors)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: the checkpoint does not fit this run: {error}") from error
    return header["extra"]
