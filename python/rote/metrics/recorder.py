"""rote/metrics/recorder.py: per-example training dynamics, recorded in three lines of any torch training loop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rote.metrics.dynamics_files import PHASES, epoch_file, write_epoch
from rote.metrics.example_scores import EPOCHS, as_table, count_epoch, scores_of
from rote.ops.record import COUNTS, RecordTensors, record, record_tensors

if TYPE_CHECKING:
    import pyarrow

_COUNT = {name: column for column, name in enumerate(COUNTS)}
# Of a state, beside the number of the epoch; "logits" where they are kept.
_TENSORS = ("counts", "sums", "values", "logits", "epochs")


class Recorder:
    """Records what a network says of each training example, and makes the field's per-example scores of it.

    `update` is one pass over the logits where they lie (`rote.ops.record`): no copy to the host, no waiting, no Python
    per example. The state is 108 bytes per example, whatever the number of epochs; `end_epoch` writes one Parquet file.

    An example may be shown more than once in an epoch, or not at all. Every presentation counts for the scores by
    presentation (forgetting, AUM, cartography, ...); an epoch's file has a row for each example that was shown, with
    the values of its last presentation there and the number of presentations.

    Args:
        n: number of examples; ids are in [0, n).
        num_classes: C, the columns of the logits; None: taken from the first batch.
        device: where the state lies, that of the logits; None: theirs, at the first update.
        folder: where epochs are written, as `<folder>/dynamics/epoch=NNNN.parquet`; None: nowhere.
        phase: "train_pass" (batches trained on, before their update) or "eval_pass" (a pass of its own over all
            examples, whose files are named `epoch=NNNN.eval_pass.parquet`).
        threshold: the threshold samples of AUM (`rote.metrics.threshold_labels`), ids int64 [T] or bool [n].
        logits: keep the logits of each example's last presentation too (4 C bytes more per example), and write them.
        first_epoch: number of the first epoch; 0 where the state before training is recorded as an epoch.

    Attributes:
        epoch: number of the epoch that is being recorded.

    Raises:
        ValueError: an argument out of its range.

    Example:
        >>> recorder = Recorder(len(dataset), folder="runs/mine")
        >>> for epoch in range(epochs):
        ...     for x, y, ids in loader:
        ...         logits = model(x)
        ...         recorder.update(ids, logits, y)
        ...         ...  # loss, backward, step
        ...     recorder.end_epoch()
        >>> scores = recorder.scores()
        >>> scores["forgetting_events"], scores["aum"], scores["confidence"]
    """

    def __init__(
        self,
        n: int,
        *,
        num_classes: int | None = None,
        device: torch.device | str | None = None,
        folder: str | os.PathLike[str] | None = None,
        phase: str = "train_pass",
        threshold: Tensor | np.ndarray | None = None,
        logits: bool = False,
        first_epoch: int = 1,
    ) -> None:
        if n < 1:
            raise ValueError(f"n: wanted at least 1 example, got {n}")
        if num_classes is not None and num_classes < 2:
            raise ValueError(f"num_classes: wanted at least 2, got {num_classes}")
        if phase not in PHASES:
            raise ValueError(f"phase: wanted one of {', '.join(PHASES)}, got {phase!r}")
        if first_epoch < 0:
            raise ValueError(f"first_epoch: wanted at least 0, got {first_epoch}")
        self.n = n
        self.num_classes = num_classes
        self.folder = None if folder is None else Path(folder)
        self.phase = phase
        self.epoch = first_epoch
        self.keeps_logits = logits
        self._threshold = None if threshold is None else _mask(threshold, n)
        self._device = None if device is None else torch.device(device)
        self._state: RecordTensors | None = None
        self._epochs: Tensor | None = None

    def update(self, ids: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Records a batch as it is now, so in a training loop before the optimizer's step.

        Args:
            ids: int64 [B], the examples; another integer type is converted.
            logits: float64, float32, float16 or bfloat16 [B, C], with or without gradients.
            labels: int64 [B], the labels used in [0, C); of mixed views the examples' own.

        Raises:
            TypeError: a dtype is not the one wanted (soft labels, say).
            ValueError: a shape or device is not the one wanted, or an id or label is out of range; nothing is recorded
                then. Ids and labels that lie on a CUDA device are looked at only with ROTE_CHECK=1 in the environment,
                since looking waits; without it a row that is out of range is left out.
        """
        classes = logits.shape[1] if logits.dim() == 2 else 0
        if classes < 2 or self.num_classes not in (None, classes):
            wanted = "C at least 2" if self.num_classes is None else f"C = {self.num_classes}"
            raise ValueError(f"logits: wanted [B, C], {wanted}; got {list(logits.shape)}")
        ids = _indices(ids, "ids", self.n, logits.device)
        labels = _indices(labels, "labels", classes, logits.device)
        record(logits, labels, ids, self._started(logits.device, classes))

    def end_epoch(self) -> None:
        """Ends the epoch: writes its file, where there is a folder, and counts it for the scores by epoch."""
        if self._state is not None:
            counts, seen, right = self._last()
            if self.folder is not None:
                path = epoch_file(self.folder, self.epoch, self.phase)
                write_epoch(path, self.epoch, self.phase, self._state, seen, right)
            count_epoch(self._epochs, self.epoch, seen, right)
            counts[:, _COUNT["seen"]] = 0
        elif self.folder is not None:
            path, none = epoch_file(self.folder, self.epoch, self.phase), torch.zeros(1, dtype=torch.bool)
            write_epoch(path, self.epoch, self.phase, record_tensors(1, "cpu"), none, none)
        self.epoch += 1

    def scores(self) -> dict[str, np.ndarray]:
        """The scores of all examples so far, arrays [n] by name; docs/scores.md has every definition and its source.

        What is undefined (the first learned presentation of an example never learned, the mean of no presentations) is
        NaN, and flags and counts tell why. Waits for the device.

        Returns:
            example_id int32; presentations, epochs_seen, undefined int32; forgetting_events int32; never_learned,
            unforgettable bool; first_learned, last_learned, last_incorrect float64 (numbers of presentations);
            first_learned_epoch, learned_epoch float64; aum, confidence, variability, correctness,
            threshold_closeness, mean_loss, mean_el2n float64; el2n, loss, margin, p_true float32 and correct bool, of
            the last presentation; predicted int32. With threshold samples also is_threshold and aum_flagged, bool.
        """
        state, epochs = self._state, self._epochs
        if state is None:
            state, epochs = record_tensors(self.n, "cpu"), torch.zeros(self.n, len(EPOCHS), dtype=torch.int32)
        arrays = (tensor.cpu().numpy() for tensor in (state.counts, state.sums, state.values, epochs))
        return scores_of(*arrays, threshold=self._threshold)

    def examples(self) -> pyarrow.Table:
        """`scores` as a table of n rows, with nulls for what is undefined and whole numbers for counts."""
        return as_table(self.scores())

    def state_dict(self) -> dict[str, Tensor]:
        """Everything the next update depends on, tensors by name; the live ones, so copy them, or save them at once."""
        state = {"epoch": torch.tensor(self.epoch)}
        if self._state is not None:
            parts = {**self._state._asdict(), "epochs": self._epochs}
            state |= {name: parts[name] for name in _TENSORS if parts[name] is not None}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Goes back to a state of `state_dict`, in the middle of an epoch or at its end.

        Raises:
            ValueError: the state is of another number of examples or classes, or keeps logits where this one does not.
        """
        if "counts" not in state:
            if self._state is not None:
                for tensor in (self._state.counts, self._state.sums, self._state.values, self._epochs):
                    tensor.zero_()
            self.epoch = int(state["epoch"])
            return
        if ("logits" in state) != self.keeps_logits:
            raise ValueError(f"logits: the state was recorded with logits={'logits' in state}")
        classes = state["logits"].shape[1] if self.keeps_logits else None
        if classes is not None and self.num_classes not in (None, classes):
            raise ValueError(f"logits: wanted {self.num_classes} columns, got a state of {classes}")
        device = self._device or state["counts"].device
        if self._state is None:
            tensors, epochs = record_tensors(self.n, device, num_classes=classes), self._no_epochs(device)
        else:
            tensors, epochs = self._state, self._epochs
        parts = {**tensors._asdict(), "epochs": epochs}
        for name in _TENSORS:
            if name in state and (name not in parts or parts[name].shape != state[name].shape):
                raise ValueError(f"{name}: wanted shape {list(parts[name].shape)}, got {list(state[name].shape)}")
        for name in _TENSORS:
            if name in state:  # in place: a captured graph goes on with the same memory
                parts[name].copy_(state[name])
        self._state, self._epochs = tensors, epochs
        self.epoch = int(state["epoch"])

    def _started(self, device: torch.device, classes: int) -> RecordTensors:
        if self._state is None:
            if self._device is not None and not _same_device(self._device, device):
                raise ValueError(f"logits: wanted device {self._device}, got {device}")
            self._state = record_tensors(self.n, device, num_classes=classes if self.keeps_logits else None)
            self._epochs = self._no_epochs(device)
        elif self._state.counts.device != device:
            if self._device is not None:
                raise ValueError(f"logits: wanted device {self._device}, got {device}")
            self._move(device)  # a state that was loaded before anything said where the network is
        self._device, self.num_classes = device, classes
        return self._state

    def _move(self, device: torch.device) -> None:
        moved = record_tensors(self.n, device)
        state = self._state._asdict() | {"chain": None}
        state = {name: None if tensor is None else tensor.to(device) for name, tensor in state.items()}
        self._state = RecordTensors(**{**state, "chain": moved.chain})
        self._epochs = self._epochs.to(device)

    def _no_epochs(self, device: torch.device) -> Tensor:
        return torch.zeros(self.n, len(EPOCHS), dtype=torch.int32, device=device)

    def _last(self) -> tuple[Tensor, Tensor, Tensor]:
        """counts, which examples were shown in this epoch, and which were right at their last presentation."""
        counts = self._state.counts
        shown = counts[:, _COUNT["presentations"]]
        ever_wrong = shown > counts[:, _COUNT["correct"]]
        wrong = ever_wrong & (counts[:, _COUNT["last_incorrect"]] == shown - 1)
        return counts, counts[:, _COUNT["seen"]] > 0, (shown > 0) & ~wrong


def _indices(values: Tensor, name: str, end: int, device: torch.device) -> Tensor:
    """int64 on the device; what lies on the CPU is checked before it goes to another device."""
    values = torch.as_tensor(values)
    if values.is_floating_point() or values.is_complex() or values.dtype == torch.bool:
        raise TypeError(f"{name}: wanted int64 [B], got {values.dtype} {list(values.shape)}")
    values = values.to(torch.int64)
    if values.device == device:
        return values
    if values.device.type == "cpu" and values.numel() and (int(values.min()) < 0 or int(values.max()) >= end):
        raise ValueError(f"{name}: wanted values in [0, {end}), got {int(values.min())} to {int(values.max())}")
    return values.to(device, non_blocking=True)


def _same_device(wanted: torch.device, found: torch.device) -> bool:
    return wanted.type == found.type and wanted.index in (None, found.index)


def _mask(threshold: Tensor | np.ndarray, n: int) -> np.ndarray:
    threshold = np.asarray(threshold.cpu() if isinstance(threshold, Tensor) else threshold)
    if threshold.dtype == bool:
        if threshold.shape != (n,):
            raise ValueError(f"threshold: wanted bool [{n}] or ids, got bool {list(threshold.shape)}")
        return threshold
    if threshold.ndim != 1 or not np.issubdtype(threshold.dtype, np.integer):
        raise ValueError(f"threshold: wanted bool [{n}] or ids [T], got {threshold.dtype} {list(threshold.shape)}")
    if threshold.size and (threshold.min() < 0 or threshold.max() >= n):
        raise ValueError(f"threshold: wanted ids in [0, {n}), got {threshold.min()} to {threshold.max()}")
    mask = np.zeros(n, dtype=bool)
    mask[threshold] = True
    return mask
