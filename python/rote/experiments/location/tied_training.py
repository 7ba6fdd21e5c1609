"""The network with example-tied dropout: trained on the labels of the run, asked with and without its own channels."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from rote.experiments.base.launch import Launch
from rote.experiments.base.stopping import StopRequest
from rote.experiments.base.training_cell import train_cell
from rote.experiments.location.answers import KINDS, Examples
from rote.experiments.location.rewinding import STATISTICS
from rote.experiments.location.tied_dropout import DROPPED, EXPECTED, OWN, TellingStream, TiedNetwork
from rote.experiments.probing.probes import probe_statistics
from rote.runs import RunFolder
from rote.train import LabelSource, Trainer

if TYPE_CHECKING:
    from rote.experiments.location.experiment import LocationConfig

COLUMNS = ("state", "epoch", "step", "bn", *KINDS)
LOOKS = 4


def tied_rows(
    config: LocationConfig,
    start: Launch[Any],
    examples: Examples,
    folder: RunFolder,
    stop: StopRequest,
    place: tuple[int, int],
) -> tuple[list[dict[str, Any]], float]:
    """Accuracies along the training, in every state of the channels and with both batch-norm statistics; its seconds.

    Args:
        config: the `tied_` options; all else is as in the run.
        start: the network at the run's initialization, and its data.
        examples: what is trained on and asked.
        folder: the open run folder.
        stop: whether Ctrl-C was pressed.
        place: pieces done before, and in all.

    Raises:
        Stopped: Ctrl-C; the state is saved.
        TypeError: a module of the caller's own.
    """

    def make() -> Trainer:
        network = TiedNetwork(
            copy.deepcopy(start.network), examples.ids, config.tied_fixed, config.tied_mem, config.seeds().init
        )
        labels = LabelSource.fixed(
            examples.label_used, num_classes=start.inputs.bank.num_classes, image_ids=examples.ids
        )
        stream = TellingStream(
            examples.bank.train.images,
            examples.ids,
            labels,
            start.inputs.recipe,
            config.batch_size,
            config.seeds(),
            config.views,
        )
        stream.listener = network
        return Trainer(network, stream, config.training(epochs=config.tied_epochs, execution="eager"))

    def look(trainer: Trainer, epoch: int) -> dict[str, Any]:
        network = trainer.model
        found = {}
        for bn in STATISTICS:
            with probe_statistics(network.in_state(EXPECTED), examples.bank.train.images, bn):
                found[f"{EXPECTED}, {bn}"] = examples.accuracies(network)
                # With the statistics of all channels, as an example meets its own in training.
                found[f"{OWN}, {bn}"] = examples.accuracies(network.in_state(OWN), before=network.tell)
            with probe_statistics(network.in_state(DROPPED), examples.bank.train.images, bn):
                found[f"{DROPPED}, {bn}"] = examples.accuracies(network)
        network.in_state(EXPECTED)
        return found

    epochs = sorted({max(1, round(config.tied_epochs * part / LOOKS)) for part in range(1, LOOKS + 1)})
    done, total = place
    looks = train_cell(
        folder,
        "tied",
        make,
        look,
        epochs,
        stop,
        description="location, example-tied dropout",
        done=done,
        cells=total,
    )
    rows = [
        {"state": state, "epoch": found["epoch"], "step": found["step"], "bn": bn, **found[f"{state}, {bn}"]}
        for found in looks
        for state in (OWN, EXPECTED, DROPPED)
        for bn in STATISTICS
    ]
    return rows, looks[-1]["seconds"]
