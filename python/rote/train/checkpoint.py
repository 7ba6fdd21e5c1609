"""rote/train/checkpoint.py: states on disk, in safetensors files that appear whole or not at all.

Nothing here unpickles: a checkpoint from elsewhere cannot run code.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rote.extras import wanted_for
from rote.train.config import TrainConfig
from rote.train.trainer import Trainer

_FORMAT = 2
# What may differ between the run that saved and the run that goes on.
_FREE_FIELDS = ("device", "execution")
# Of the state, beside weights and optimizer.
_TENSORS = ("sums", "epochs", "epoch_numbers", "rng", "rng_cuda")


class CheckpointError(RuntimeError):
    """A checkpoint is damaged, or belongs to another run; the message names the file and the difference."""


def save_checkpoint(path: str | os.PathLike[str], trainer: Trainer, extra: dict[str, Any] | None = None) -> None:
    """Writes the trainer's whole state: weights, optimizer, running sums, generators, callbacks' states and step.

    Checks first that the state is finite, so that a checkpoint is always worth going on from.

    Args:
        path: the file, replaced in one rename.
        trainer: the state.
        extra: JSON values of the caller's own, given back by `load_checkpoint`.

    Raises:
        TrainingDiverged: the loss or the weights are not finite.
    """
    trainer.check()
    state = trainer.state_dict()
    tensors = {f"model/{name}": value for name, value in state["model"].items()}
    for index, values in state["optimizer"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{name}"] = value
    tensors |= {f"callbacks/{name}": value for name, value in state["callbacks"].items()}
    tensors |= {name: state[name] for name in _TENSORS if name in state}
    header = {
        "step": state["step"],
        "config": asdict(trainer.config),
        "extra": {} if extra is None else extra,
    }
    write_tensors(Path(path), tensors, header)


def load_checkpoint(path: str | os.PathLike[str], trainer: Trainer) -> dict[str, Any]:
    """Puts a trainer into a saved state; the next steps give the bits of an uninterrupted run.

    Args:
        path: a file of `save_checkpoint`.
        trainer: made from the same config; device and execution may differ, and epochs where the learning
            rate is constant.

    Returns:
        The caller's `extra` values.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: the file is damaged or of another run.
    """
    tensors, header = read_tensors(Path(path))
    if different := different_fields(trainer.config, header.get("config", {})):
        raise CheckpointError(f"{path}: the checkpoint was trained with {different}")
    optimizer: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer/"):
            _, index, field = name.split("/", 2)
            optimizer.setdefault(int(index), {})[field] = value
    state = {name: tensors[name] for name in _TENSORS if name in tensors}
    state |= {"callbacks": _with_prefix(tensors, "callbacks/"), "model": _with_prefix(tensors, "model/")}
    try:
        trainer.load_state_dict({"step": header["step"], "optimizer": optimizer, **state})
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: the checkpoint does not fit this run: {error}") from error
    return header["extra"]


def save_weights(path: str | os.PathLike[str], model: nn.Module, **about: Any) -> None:
    """Writes a network's weights and buffers alone; `about` (JSON values) goes into the file's header."""
    write_tensors(Path(path), dict(model.state_dict()), about)


def load_weights(path: str | os.PathLike[str], model: nn.Module) -> dict[str, Any]:
    """Reads weights of `save_weights` into a network of the same shape; returns what `about` said.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: the file is damaged or of another network.
    """
    tensors, header = read_tensors(Path(path))
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path}: the weights do not fit this network: {error}") from error
    header.pop("format")
    return header


def different_fields(config: TrainConfig, saved: dict[str, Any]) -> str:
    """The fields in which a saved config differs and must not, in words; empty where it may go on."""
    ours = asdict(config)
    free = (*_FREE_FIELDS, "epochs") if config.schedule == "constant" else _FREE_FIELDS
    different = [name for name in ours if name not in free and saved.get(name) != ours[name]]
    return ", ".join(f"{name} {saved.get(name)!r} instead of {ours[name]!r}" for name in different)


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, each with memory of its own, as the format wants: tied weights and counters share it."""
    apart, seen = {}, set()
    for name, value in tensors.items():
        value = value.detach().cpu().contiguous()
        memory = value.untyped_storage().data_ptr()
        apart[name] = value.clone() if memory in seen else value
        seen.add(memory)
    return apart


def write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Writes named tensors and a JSON header; the file appears whole or not at all."""
    with wanted_for("a checkpoint"):
        from safetensors.torch import save

    path.parent.mkdir(parents=True, exist_ok=True)
    content = save(_apart(tensors), metadata={"rote": json.dumps({"format": _FORMAT, **header})})
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a file of `write_tensors`; FileNotFoundError or CheckpointError where it is none."""
    with wanted_for("a checkpoint"):
        from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["rote"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path}: not a checkpoint, or a damaged one: {error}") from error
    if header.get("format") != _FORMAT:
        raise CheckpointError(f"{path}: checkpoint format must be {_FORMAT}; got {header.get('format')!r}")
    return {name: torch.as_tensor(value) for name, value in tensors.items()}, header
