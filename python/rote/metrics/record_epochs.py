"""rote/metrics/record_epochs.py: a trainer's callback that records every example in every epoch."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rote.metrics.evaluation import BATCH_SIZE, clean_pixels, convolutional, evaluating
from rote.metrics.recorder import Recorder
from rote.train.callbacks import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rote.train.trainer import Trainer


class RecordEpochs(Callback):
    """Records what the network says of its training examples, in the updates themselves and in passes of their own.

    The train pass sees the augmented batches in train mode, before each update, inside the step: it waits for nothing
    and is part of a captured graph. The eval pass goes over the un-augmented images in eval mode at each epoch's end.
    Both are part of the trainer's state, so a training that goes on from a checkpoint, in the middle of an epoch too,
    ends in the same scores and files.

    Of several processes each records its rows of the batches and evaluates its share of the images; at each epoch's end
    all have the scores of all rows, and the first one writes. In the middle of an epoch each saves and loads a
    checkpoint of its own (see `Recorder`).

    Args:
        n: number of images in the bank; examples are known by their ids in it, also where a part is trained on.
        folder: where epochs are written (see `Recorder`), a run folder, say; None: nowhere.
        train_pass: record the updates.
        eval_pass: record a pass at the end of every epoch.
        num_classes, threshold, logits: as `Recorder`.
        recipe: what un-augmented images go through in the eval pass: None for pixels / 255, or `Normalize` alone.
        batch_size: images per forward pass of the eval pass.

    Attributes:
        train: the `Recorder` of the train pass, or None.
        evaluation: that of the eval pass, or None.

    Raises:
        ValueError: neither pass is wanted, or as `Recorder`.

    Example:
        >>> recording = RecordEpochs(len(bank.train.images), folder=run.path)
        >>> trainer = Trainer(model, stream, config, callbacks=[recording])
        >>> trainer.train_until(trainer.total_steps)
        >>> run.write_examples(recording.train.scores())
    """

    def __init__(
        self,
        n: int,
        *,
        folder: str | os.PathLike[str] | None = None,
        train_pass: bool = True,
        eval_pass: bool = False,
        num_classes: int | None = None,
        threshold: Tensor | np.ndarray | None = None,
        logits: bool = False,
        recipe: Callable[..., Tensor] | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        if not train_pass and not eval_pass:
            raise ValueError("train_pass, eval_pass: wanted at least one of them, got neither")
        if batch_size < 1:
            raise ValueError(f"batch_size: wanted at least 1, got {batch_size}")

        def recorder(phase: str) -> Recorder:
            return Recorder(n, num_classes=num_classes, folder=folder, phase=phase, threshold=threshold, logits=logits)

        self.train = recorder("train_pass") if train_pass else None
        self.evaluation = recorder("eval_pass") if eval_pass else None
        self._recipe = recipe
        self._batch_size = batch_size
        self._done = 0
        # Without a train pass nothing has to be called in an update.
        if not train_pass:
            self.on_forward = None

    def on_begin(self, trainer: Trainer) -> None:
        """Joins those that train together, and nobody else."""
        for recorder in self._recorders().values():
            recorder.sync_on_epoch_end = trainer.processes is not None
            recorder.process_group = None if trainer.processes is None else trainer.processes.group

    def on_forward(self, image_ids: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Records a batch, before its update."""
        self.train.update(image_ids, logits, labels)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Ends the epoch in both recorders; here the eval pass runs."""
        if self.train is not None:
            self.train.end_epoch()
        if self.evaluation is not None:
            self._pass_over(trainer)
            self.evaluation.end_epoch()
        self._done += 1

    def state_dict(self) -> dict[str, Tensor]:
        """The state of both recorders."""
        state = {"done": torch.tensor(self._done)}
        for name, recorder in self._recorders().items():
            state |= {f"{name}/{key}": value for key, value in recorder.state_dict().items()}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor], trainer: Trainer) -> None:
        """Goes back to a state of `state_dict`.

        Raises:
            ValueError: the state was saved by a training that was not recorded, or recorded in another way.
        """
        passes = {name.split("/")[0] for name in state if "/" in name}
        if passes != set(self._recorders()):
            known = ", ".join(sorted(passes)) or "no passes"
            raise ValueError(f"the saved training recorded {known}, this one {', '.join(self._recorders())}")
        for name, recorder in self._recorders().items():
            prefix = f"{name}/"
            recorder.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        self._done = int(state["done"])
        # The state may have been taken behind the last update of an epoch and before its end was called.
        while self._done < trainer.epoch:
            self.on_epoch_end(trainer)

    def _recorders(self) -> dict[str, Recorder]:
        both = {"train_pass": self.train, "eval_pass": self.evaluation}
        return {name: recorder for name, recorder in both.items() if recorder is not None}

    def _pass_over(self, trainer: Trainer) -> None:
        stream, model = trainer.stream, trainer.model
        if stream.labels.kind != "fixed":
            raise ValueError(f"eval_pass: wanted labels that images keep, got {stream.labels.kind!r} labels")
        rows = stream.image_ids if stream.rows_of_images is None else stream.rows_of_images[stream.image_ids]
        channels_last = convolutional(model)
        batches = zip(rows.split(self._batch_size), stream.image_ids.split(self._batch_size), strict=True)
        first, count = (0, 1) if trainer.processes is None else (trainer.processes.rank, trainer.processes.count)
        with evaluating(model) as device:
            # Whole batches, so that the last bits of the logits do not depend on the number of processes.
            for part, ids in islice(batches, first, None, count):
                x = clean_pixels(stream.images, part, device, recipe=self._recipe, channels_last=channels_last)
                if trainer.precision == torch.float64:
                    x = x.double()
                self.evaluation.update(ids, model(x), stream.labels.labels(ids, ids, ids).to(ids.device))
