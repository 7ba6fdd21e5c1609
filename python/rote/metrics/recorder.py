"""rote/metrics/recorder.py: per-example training dynamics, recorded in three lines of any torch training loop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rote.metrics.dynamics_files import PHASES, epoch_file, folder_for_epochs, write_epoch
from rote.metrics.example_scores import as_table, count_epoch, scores_of
from rote.metrics.record_arguments import check_device, checked_indices, threshold_mask
from rote.metrics.record_ranks import combine_, exchange, joined, own_part, place_in, threshold_checksum
from rote.metrics.record_state import RecordState
from rote.neighbors.ranks import Ranks
from rote.ops.record import RecordTensors, record, record_tensors

if TYPE_CHECKING:
    import pyarrow


class Recorder:
    """Records what a network says of each training example, and makes the field's per-example scores of it.

    `update` is one pass over the logits where they lie (`rote.ops.record`): no copy to the host, no waiting, no Python
    per example. The state is 108 bytes per example, whatever the number of epochs; `end_epoch` writes one Parquet file.

    An example may be shown more than once in an epoch, or not at all. Every presentation counts for the scores by
    presentation (forgetting, AUM, cartography, ...); an epoch's file has a row for each example that was shown, with
    the values of its last presentation there and the number of presentations.

    Where `torch.distributed` is initialized, each rank updates with the rows that it sees, and `end_epoch`, which all
    ranks must call, puts them together: presentations of an epoch count in the order of the ranks, those of an example
    that several ranks see (`DistributedSampler` repeats some) too. Every rank then has the scores of one process that
    was shown all rows. Rank 0 of the group writes. In the middle of an epoch a rank's state is its own.

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
        process_group: the ranks that record together; by default all of them.
        sync_on_epoch_end: False for this rank's rows alone.

    Attributes:
        epoch: number of the epoch that is being recorded.

    Raises:
        ValueError: an argument out of its range.
        ModuleNotFoundError: `folder` is given and pyarrow is not installed.

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
        process_group: Any = None,
        sync_on_epoch_end: bool = True,
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
        self.folder = None if folder is None else folder_for_epochs(folder)
        self.phase = phase
        self.epoch = first_epoch
        self.keeps_logits = logits
        self.process_group = process_group
        self.sync_on_epoch_end = sync_on_epoch_end
        self._threshold = None if threshold is None else threshold_mask(threshold, n)
        self._device = None if device is None else torch.device(device)
        self._state: RecordState | None = None

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
        ids = checked_indices(ids, "ids", self.n, logits.device)
        labels = checked_indices(labels, "labels", classes, logits.device)
        record(logits, labels, ids, self._started(logits.device, classes))

    def end_epoch(self) -> None:
        """Ends the epoch: writes its file, where there is a folder, and counts it for the scores by epoch.

        Several ranks put together here what they saw, in two collectives.

        Raises:
            ValueError: the ranks' recorders are not alike (n, num_classes, phase, logits, threshold, epoch); every rank
                raises the same, and nothing has changed.
            RuntimeError: torch.distributed was initialized or left since the first update.
        """
        ranks = joined(self.process_group, self.sync_on_epoch_end, self._state)
        if ranks is not None:
            self._combine(ranks)
        writes = self.folder is not None and (ranks is None or ranks.rank == 0)
        path = epoch_file(self.folder, self.epoch, self.phase) if writes else None
        if self._state is not None:
            seen, right = self._state.last()
            if writes:
                write_epoch(path, self.epoch, self.phase, self._state.whole, seen, right)
            count_epoch(self._state.epochs, self.epoch, seen, right)
            self._state.begin_epoch_()
        elif writes:
            none = torch.zeros(1, dtype=torch.bool)
            write_epoch(path, self.epoch, self.phase, record_tensors(1, "cpu"), none, none)
        self.epoch += 1

    def scores(self) -> dict[str, np.ndarray]:
        """The scores of all examples so far, arrays [n] by name; docs/scores.md has every definition and its source.

        Of several ranks: up to the last end of an epoch, the same on every rank.

        What is undefined (the first learned presentation of an example never learned, the mean of no presentations) is
        NaN, and flags and counts tell why. Waits for the device.

        Returns:
            example_id int32; presentations, epochs_seen, undefined int32; forgetting_events int32; never_learned,
            unforgettable bool; first_learned, last_learned, last_incorrect float64 (numbers of presentations);
            first_learned_epoch, learned_epoch float64; aum, confidence, variability, correctness,
            threshold_closeness, mean_loss, mean_el2n float64; el2n, loss, margin, p_true float32 and correct bool, of
            the last presentation; predicted int32. With threshold samples also is_threshold and aum_flagged, bool.
        """
        state = RecordState(self.n, torch.device("cpu")) if self._state is None else self._state
        whole = state.whole
        arrays = (tensor.cpu().numpy() for tensor in (whole.counts, whole.sums, whole.values, state.epochs))
        return scores_of(*arrays, threshold=self._threshold)

    def examples(self) -> pyarrow.Table:
        """`scores` as a table of n rows, with nulls for what is undefined and whole numbers for counts."""
        return as_table(self.scores())

    def state_dict(self) -> dict[str, Tensor]:
        """Everything the next update depends on, tensors by name; the live ones, so copy them, or save them at once.

        Of several ranks: what is between two epochs' ends is this rank's own, so each saves and loads its own state. At
        an epoch's end any rank's state serves all of them, and any other number of processes.
        """
        return {"epoch": torch.tensor(self.epoch)} | ({} if self._state is None else self._state.named())

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Goes back to a state of `state_dict`, in the middle of an epoch or at its end.

        Raises:
            ValueError: the state is of another number of examples or classes, keeps logits where this one does not, or
                holds what another rank alone saw of an epoch.
        """
        if "counts" not in state:
            if self._state is not None:
                self._state.clear_()
            self.epoch = int(state["epoch"])
            return
        if ("logits" in state) != self.keeps_logits:
            raise ValueError(f"logits: the state was recorded with logits={'logits' in state}")
        classes = state["logits"].shape[1] if self.keeps_logits else None
        if classes is not None and self.num_classes not in (None, classes):
            raise ValueError(f"logits: wanted {self.num_classes} columns, got a state of {classes}")
        tensors = self._state
        if tensors is None:
            tensors = self._no_state(self._device or state["counts"].device, classes)
        tensors.load_(state)
        self._state = tensors
        self.epoch = int(state["epoch"])

    def _combine(self, ranks: Ranks) -> None:
        part, ids = own_part(
            self._state,
            self._device,
            n=self.n,
            phase=self.phase,
            logits=self.keeps_logits,
            epoch=self.epoch,
            threshold=threshold_checksum(self._threshold),
            num_classes=self.num_classes,
            folder=self.folder is not None,
        )
        parts = exchange(ranks, part)
        if not any(other.rows for other in parts):
            return
        if self._state is None:  # of what only others were shown
            device = next(other.device for other in parts if other.rows)
            self.num_classes = next(other.num_classes for other in parts if other.rows)
            self._state = self._no_state(self._device or torch.device(device), self.num_classes)
            ids = torch.empty(0, dtype=torch.int64, device=self._state.device)
        combine_(ranks, parts, self._state, ids)

    def _started(self, device: torch.device, classes: int) -> RecordTensors:
        if self._state is None:
            check_device(self._device, device)
            self._state = self._no_state(device, classes)
        elif self._state.device != device:
            if self._device is not None:
                raise ValueError(f"logits: wanted device {self._device}, got {device}")
            self._state = self._state.to(device)  # it was made before anything said where the network is
        self._device, self.num_classes = device, classes
        return self._state.recording

    def _no_state(self, device: torch.device, classes: int | None) -> RecordState:
        ranks = joined(self.process_group, self.sync_on_epoch_end, None)
        return RecordState(self.n, device, classes if self.keeps_logits else None, rank=place_in(ranks))
