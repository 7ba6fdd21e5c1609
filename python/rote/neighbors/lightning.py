"""`rote.KNNProbeCallback`: a Lightning callback that probes an encoder while it trains.

Importing this module loads Lightning; `import rote` does not.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch.utils.data import DistributedSampler, RandomSampler

from rote.neighbors.metric import KNNAccuracy

PACKAGES = ("lightning.pytorch", "pytorch_lightning")


def _lightning() -> Any:
    """The Lightning that the program uses already, or else the one that is installed."""
    for name in PACKAGES:
        if name in sys.modules:
            return sys.modules[name]
    for name in PACKAGES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in (name, name.partition(".")[0]):
                raise
    raise ImportError(
        "rote.KNNProbeCallback needs Lightning: pip install lightning (or pytorch-lightning); without it, "
        "rote.KNNAccuracy does the same in a loop of your own"
    )


class KNNProbeCallback(_lightning().Callback):
    """Logs the k-NN accuracy of an encoder's embeddings, "probe/knn@20" and so on, at the end of training epochs.

    The encoder is run in evaluation mode without gradients, in the trainer's precision; afterwards every submodule is
    in the mode it was in, and torch's random numbers go on as if nothing had happened. Logging comes before the
    callbacks that monitor a metric, so `ModelCheckpoint(monitor="probe/knn@20", save_on_train_epoch_end=True)` and
    `EarlyStopping("probe/knn@20", check_on_train_epoch_end=True)` work, where `every_n_epochs` agrees with theirs.

    With several processes each rank encodes every world-size-th batch of the same dataloaders, and all ranks log the
    accuracy over all rows (see `rote.KNNAccuracy`). So give the plain dataloaders, in a fixed order.

    Args:
        train_dataloader: batches whose rows may be neighbours; any iterable that can be gone through again.
        test_dataloader: batches whose rows are classified; None leaves out one row of `train_dataloader` at a time.
        encoder: what makes embeddings [B, d] of a batch's inputs: the name of a submodule ("backbone"), a function of
            (module, inputs), or None for the LightningModule's own `forward`.
        k: one number of neighbours, or several.
        every_n_epochs: probe after every n-th training epoch.
        metric: "cosine", "l2", "sqeuclidean" or "ip".
        weights: "uniform", "distance" or "softmax".
        temperature: of "softmax".
        num_classes: if given, labels must lie in [0, num_classes).
        device: where embeddings are kept and searched ("cpu" saves GPU memory); by default where they come from.
        unpack: a function from a batch on the device to (inputs, labels) or (inputs, labels, groups); by default the
            batch is such a tuple or list. Groups are int64 [B] as in `rote.KNNAccuracy.update`.
        prefix: of the logged names.

    Raises:
        ImportError: neither `lightning` nor `pytorch_lightning` is installed.
        TypeError, ValueError: bad settings, as `rote.KNNAccuracy`.
    """

    def __init__(
        self,
        train_dataloader: Iterable[Any],
        test_dataloader: Iterable[Any] | None = None,
        *,
        encoder: str | Callable[[Any, Any], torch.Tensor] | None = None,
        k: int | Sequence[int] = 20,
        every_n_epochs: int = 1,
        metric: str = "cosine",
        weights: str = "uniform",
        temperature: float = 0.07,
        num_classes: int | None = None,
        device: torch.device | str | None = None,
        unpack: Callable[[Any], tuple[Any, ...]] | None = None,
        prefix: str = "probe",
    ) -> None:
        super().__init__()
        if isinstance(every_n_epochs, bool) or not isinstance(every_n_epochs, int) or every_n_epochs < 1:
            raise ValueError(f"every_n_epochs must be an integer of at least 1; got {every_n_epochs!r}")
        if not (encoder is None or isinstance(encoder, str) or callable(encoder)):
            raise TypeError(
                f"encoder must be a submodule's name, a function of (module, inputs) or None; got {encoder!r}"
            )
        self.train_dataloader = train_dataloader
        self.test_dataloader = test_dataloader
        self.encoder = encoder
        self.every_n_epochs = every_n_epochs
        self.unpack = unpack
        self.prefix = prefix
        self._accuracy = KNNAccuracy(
            (k,) if isinstance(k, int) and not isinstance(k, bool) else k,
            num_classes,
            metric,
            weights,
            temperature=temperature,
            leave_one_out=test_dataloader is None,
            device=device,
        )

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        if isinstance(self.encoder, str):
            pl_module.get_submodule(self.encoder)  # a wrong name is an error now, not after an epoch

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if (trainer.current_epoch + 1) % self.every_n_epochs:
            return
        with trainer.precision_plugin.val_step_context():
            accuracies = self.probe(pl_module)
        for k, value in accuracies.items():  # on every rank the same already; the largest of them is that number
            pl_module.log(f"{self.prefix}/knn@{k}", value, batch_size=1, sync_dist=True, reduce_fx="max")

    def probe(self, module: Any) -> dict[int, float]:
        """Embed both dataloaders and classify, at any time (before training, say); all ranks must call it together.

        Args:
            module: the LightningModule, on its device.

        Returns:
            {k: accuracy in [0, 1]}.

        Raises:
            TypeError, ValueError: batches or embeddings of a wrong kind; with several processes, a shuffled dataloader
                or one with a DistributedSampler.
        """
        try:
            with undisturbed(module), torch.no_grad():
                if self.test_dataloader is None:
                    self._embed(module, self.train_dataloader, None)
                else:
                    self._embed(module, self.train_dataloader, True)
                    self._embed(module, self.test_dataloader, False)
            return self._accuracy.compute()
        finally:
            self._accuracy.reset()  # no embeddings are held between two probes

    def _embed(self, module: Any, loader: Iterable[Any], train: bool | None) -> None:
        for batch in own_batches(loader):
            moved = module.transfer_batch_to_device(batch, module.device, 0)
            inputs, labels, groups = self._unpacked(moved)
            self._accuracy.update(self._encode(module, inputs), labels, train, groups=groups)

    def _encode(self, module: Any, inputs: Any) -> torch.Tensor:
        if self.encoder is None:
            return module(inputs)
        if isinstance(self.encoder, str):
            return module.get_submodule(self.encoder)(inputs)
        return self.encoder(module, inputs)

    def _unpacked(self, batch: Any) -> tuple[Any, Any, Any]:
        parts = batch if self.unpack is None else self.unpack(batch)
        if not isinstance(parts, (tuple, list)) or len(parts) not in (2, 3):
            raise TypeError(
                "a batch must be (inputs, labels) or (inputs, labels, groups), or unpack= must make it so; "
                f"got {type(parts).__name__}" + (f" of {len(parts)}" if isinstance(parts, (tuple, list)) else "")
            )
        return (*parts, None) if len(parts) == 2 else tuple(parts)


@contextlib.contextmanager
def undisturbed(module: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode inside; outside, each submodule's mode and torch's random state are as they were.

    A dataloader draws from the global generator each time it is gone through, so that without this a probe would change
    the training that follows.
    """
    modes = [(part, part.training) for part in module.modules()]
    device = next((parameter.device for parameter in module.parameters() if parameter.is_cuda), None)
    module.eval()
    try:
        with torch.random.fork_rng(devices=[] if device is None else [device]):
            yield
    finally:
        for part, training in modes:
            part.training = training


def own_batches(loader: Iterable[Any]) -> Iterator[Any]:
    """Every batch; of several ranks, each gets every world-size-th one."""
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        yield from loader
        return
    sampler = getattr(loader, "sampler", None)
    if isinstance(sampler, (RandomSampler, DistributedSampler)):
        raise ValueError(
            "with several processes the callback shares the batches among the ranks itself and needs dataloaders that "
            f"give the same batches on all of them (shuffle=False); got a {type(sampler).__name__}"
        )
    for number, batch in enumerate(loader):
        if number % dist.get_world_size() == dist.get_rank():
            yield batch
