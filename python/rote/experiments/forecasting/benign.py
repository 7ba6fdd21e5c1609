"""Times the parts of a `benign` run: a few real steps after warm-up, and real evaluations."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from rote import data
from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import Launch, launch
from rote.experiments.base.saving import SAVE_EVERY_SECONDS
from rote.experiments.benign import BenignConfig
from rote.experiments.benign.run import BenignRun
from rote.experiments.inputs.labels import FRESH
from rote.metrics import pool_accuracy

WARM_UP_STEPS = 5
# Steps are timed for so long, but for so many at least and at most.
TIMED_SECONDS, FEWEST_STEPS, MOST_STEPS = 3.0, 3, 500
# Views of each image over which the accuracy of a pool is timed.
SOME_VIEWS = 16


@dataclass(frozen=True)
class EvaluationCosts:
    """Seconds of an evaluation with all layers (at initialization and at the end) and along the way, of a checkpoint,
    and of the results; and of the search among raw pixels, which comes once in a process.
    """

    whole: float
    between: float
    checkpoint: float
    results: float
    pixels: float


@dataclass(frozen=True)
class BenignCosts:
    """What a run is expected to take.

    Attributes:
        steps: updates.
        batch_size: images in each.
        step: seconds of one.
        evaluation_count: evaluations, initialization included.
        whole, between: seconds of an evaluation at initialization or at the end, and of one along the way.
        pixels: seconds of the search among raw pixels, once for all runs of a process.
        training, evaluations, saving: seconds in all, without `pixels`.
        device: where it runs.
    """

    steps: int
    batch_size: int
    step: float
    evaluation_count: int
    whole: float
    between: float
    pixels: float
    training: float
    evaluations: float
    saving: float
    device: str


class BenignMeter:
    """Measures runs in folders that are thrown away. What several runs have in common is measured once."""

    def __init__(self) -> None:
        self._banks: dict[tuple, ImageBank] = {}
        self._steps: dict[tuple, float] = {}
        self._evaluations: dict[tuple, EvaluationCosts] = {}
        self._pools: dict[tuple, float] = {}

    def bank(self, config: ExperimentConfig) -> ImageBank:
        """The data of a config."""
        key = (config.data, config.root, config.size, config.decoder)
        if key not in self._banks:
            self._banks[key] = data.load(config.data, config.root, size=config.size, decoder=config.decoder)
        return self._banks[key]

    def start(self, config: ExperimentConfig) -> Launch:
        """What a run starts from; nothing is written."""
        return launch(config, model=None, data=self.bank(config), taps=None, fields={})

    def finished(self, config: ExperimentConfig) -> bool:
        """Whether the run is there already, complete."""
        return self.start(config).finished

    def device(self, config: ExperimentConfig) -> str:
        """Where a run computes."""
        return config.training().resolved_device().type

    def memory(self) -> int:
        """Peak memory so far in bytes: of the device where there is CUDA, of this process elsewhere."""
        if torch.cuda.is_available():
            return torch.cuda.max_memory_reserved()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB on Linux

    def kind_of(self, config: BenignConfig) -> tuple:
        """What decides how long an evaluation takes."""
        names = ("data", "root", "size", "images", "model", "width", "depth", "projector_width", "norm", "bn", "k")
        return (*(getattr(config, name) for name in names), config.device)

    def seconds_of_epoch(self, config: BenignConfig) -> float:
        """Training time of one epoch."""
        costs = self.measure(config)
        return costs.training / config.epochs

    def measure(self, config: BenignConfig) -> BenignCosts:
        """Times a run from its beginning; a stopped one has less to do."""
        config = dataclasses.replace(config, fresh=False, keep_checkpoints=())
        evaluation_key = self.kind_of(config)
        names = ("augment", "mixup", "views", "labels", "label_classes", "loss", "optimizer", "batch_size", "precision")
        names += ("execution", "same_class_images")
        step_key = (*evaluation_key, *(getattr(config, name) for name in names))
        if step_key not in self._steps:
            with tempfile.TemporaryDirectory(prefix="rote-dry-run-") as folder:
                # Long enough for the timed steps, however short the run is.
                longer = dataclasses.replace(config, out=Path(folder), name=None, epochs=config.epochs + 2 * MOST_STEPS)
                start = self.start(longer)
                with quietly(), start.place.open(fresh=False) as opened:
                    run = BenignRun(start.config, start.inputs, start.network, opened, start.num_classes)
                    if evaluation_key not in self._evaluations:
                        self._evaluations[evaluation_key] = _evaluation_costs(run)
                    self._steps[step_key] = _seconds_of_step(run)
                    self._pools[step_key] = _seconds_of_pool(run)
        images = config.images or len(self.bank(config).train)
        batch_size = min(config.batch_size, images)
        steps = config.epochs * (images // batch_size)
        step, costs = self._steps[step_key], self._evaluations[evaluation_key]
        count = len(config.evaluation_epochs())
        training = steps * step
        checkpoints = count + training / SAVE_EVERY_SECONDS
        return BenignCosts(
            steps=steps,
            batch_size=batch_size,
            step=step,
            evaluation_count=count,
            whole=costs.whole,
            between=costs.between,
            pixels=costs.pixels,
            training=training,
            evaluations=2 * costs.whole + (count - 2) * costs.between + self._pools[step_key],
            saving=checkpoints * costs.checkpoint + costs.results,
            device=self.device(config),
        )


def _seconds_of_step(run: BenignRun) -> float:
    """Mean time of a step."""
    _train(run, WARM_UP_STEPS)
    estimate = _train(run, FEWEST_STEPS) / FEWEST_STEPS
    steps = min(max(FEWEST_STEPS, round(TIMED_SECONDS / estimate)), MOST_STEPS)
    return _train(run, steps) / steps


def _seconds_of_pool(run: BenignRun) -> float:
    """Time of the accuracy over all views of a pool, from some of them; 0 where there is no pool."""
    views = run.config.views
    if views is None or run.config.labels == FRESH:
        return 0.0
    some = min(views, SOME_VIEWS)

    def measure() -> None:
        pool_accuracy(
            run.model,
            run.record.images,
            run.record.labels.source,
            run.record.inputs.recipe,
            views=some,
            seed=run.config.seeds().view,
            image_ids=run.record.inputs.image_ids,
        )

    return _timed(run, measure) * views / some


def _train(run: BenignRun, steps: int) -> float:
    """Seconds that so many further steps take."""
    _wait(run)
    begin = time.perf_counter()
    run.trainer.train_until(run.trainer.step + steps)
    run.trainer.take_epochs()
    _wait(run)
    return time.perf_counter() - begin


def _evaluation_costs(run: BenignRun) -> EvaluationCosts:
    pixels = _timed(run, run.record.probes.pixels)
    whole = _timed(run, lambda: run.record.evaluate(0, 0, last=False))
    _train(run, 1)
    between = _timed(run, lambda: run.record.evaluate(run.trainer.step, 1, last=False))
    checkpoint = _timed(run, lambda: run._save(0.0))
    results = _timed(run, lambda: run.record.write_results(run.trainer.step, 1.0, 1.0))
    return EvaluationCosts(whole, between, checkpoint, results, pixels)


def _timed(run: BenignRun, action: Callable[[], object]) -> float:
    _wait(run)
    begin = time.perf_counter()
    action()
    _wait(run)
    return time.perf_counter() - begin


def _wait(run: BenignRun) -> None:
    if run.trainer.device.type == "cuda":
        torch.cuda.synchronize(run.trainer.device)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keeps the progress of runs that are only measured off the terminal."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield
