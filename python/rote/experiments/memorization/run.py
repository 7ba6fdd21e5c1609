"""The course of one `memorization` run: networks a batch at a time, here or on actors, then their answers packed."""

from __future__ import annotations

import functools
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from rote.experiments.base.network_seeds import network_seed
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.inputs.loading import Inputs
from rote.experiments.memorization.results import Answers, write_results
from rote.experiments.memorization.subsets import SubsetModel, batches, subset_size
from rote.experiments.memorization.training import CELLS, SubsetTraining, cell_file, cell_name, train_elsewhere
from rote.experiments.workers import Job, Outcome, open_workers, performed
from rote.metrics import packed_bits
from rote.runs import CorruptRunFile, RunFolder
from rote.runs.folder import measurement
from rote.runs.whole_files import write_with
from rote.train import TrainingDiverged

if TYPE_CHECKING:
    from rote.experiments.memorization.experiment import MemorizationConfig

# A batch whose actor died or found no memory is tried so many times.
_ATTEMPTS = 3

# Networks without which there is nothing to score: two on either side of an example in each half.
FEWEST_RUNS = 8


class NetworksDiverged(TrainingDiverged):
    """So many networks diverged that nothing can be scored."""

    def __init__(self, diverged: int, runs: int) -> None:
        RuntimeError.__init__(
            self, f"{diverged} of {runs} networks diverged, too many to score anything (a lower lr is the usual cure)"
        )
        self.step = self.last_good_step = 0


class MemorizationRun:
    """All networks from wherever they stand to the scores.

    Finished batches are files in cells/; those under way have a checkpoint, and go on in their middle. Once all are
    there, they become the bit-packed matrices, and cells/ goes.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(self, config: MemorizationConfig, inputs: Inputs, folder: RunFolder, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.training = SubsetTraining(config, inputs, num_classes)
        self.models = self.training.models
        self.batches = batches(self.models, config.together)

    def to_the_end(self) -> None:
        """Trains what is missing, then writes matrices, scores and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            NetworksDiverged: too few networks are left to score anything.
        """
        print(f"rote: writing {self.folder.path}\n{self.cost()}", file=sys.stderr)
        self._write_plan({})
        with stop_requests() as stop:
            self._train(stop)
        answers = self._packed()
        self._write_plan(
            {
                "diverged": answers.diverged,
                "train_accuracy": answers.train_accuracy,
                "held_out_accuracy": answers.held_out_accuracy,
                "test_accuracy": answers.test_accuracy,
            }
        )
        sound = int((~answers.diverged[: self.config.runs]).sum())
        if sound < FEWEST_RUNS:
            raise NetworksDiverged(self.config.runs - sound, self.config.runs)
        write_results(self.training, self.folder, answers)
        shutil.rmtree(self.folder.path / CELLS, ignore_errors=True)
        for batch in self.batches:  # of a process that was killed between a batch's file and the end of its checkpoint
            (self.folder.checkpoints / f"{cell_name(batch)}.safetensors").unlink(missing_ok=True)

    def cost(self) -> str:
        """What the run takes on disk and in memory, in a line."""
        images, tests = len(self.inputs.image_ids), len(self.inputs.bank.test)
        runs = len(self.models)
        disk = runs * (2 * -(-images // 8) + -(-tests // 8))
        memory = 4 * runs * (min(images, 4096) + tests)
        size = subset_size(images, self.config.share)
        return (
            f"rote: {runs:,} networks, {self.config.runs:,} of them on {size:,} of {images:,} images; answers take "
            f"{disk / 2**20:.1f} MB on disk, influence {memory / 2**20:,.0f} MB of memory"
        )

    def _train(self, stop: StopRequest) -> None:
        missing = [batch for batch in self.batches if not cell_file(self.folder.path, batch).exists()]
        done = len(self.batches) - len(missing)
        by_name = {cell_name(batch): batch for batch in missing}
        jobs = [
            Job(cell_name(batch), self._work(batch, stop, done + number))
            for number, batch in enumerate(missing, start=1)
        ]
        attempts = dict.fromkeys(by_name, 1)

        def again(job: Job, outcome: Outcome) -> bool:
            return True

        if not jobs:
            return
        with open_workers(self.config.executor, self.config.workers, address=self.config.ray_address) as workers:
            for job, outcome in performed(workers, jobs, stop, again):
                if outcome.failed:
                    if outcome.error is not None:
                        raise outcome.error
                    if outcome.state == "error" or attempts[job.name] == _ATTEMPTS:
                        raise RuntimeError(f"{job.name} failed on its actor: {outcome.message}")
                    attempts[job.name] += 1
                    print(f"rote: {job.name}: {outcome.state}, once more ({outcome.message})", file=sys.stderr)
                elif outcome.state == "finished":
                    done += 1
                    if self.config.executor != "local":
                        print(f"rote: {done} of {len(self.batches)} batches of networks", file=sys.stderr)
        if stop.made:
            raise Stopped(self.folder.path, done, len(self.batches), "batch of networks")

    def _work(self, batch: tuple[SubsetModel, ...], stop: StopRequest, number: int) -> Any:
        if self.config.executor == "ray":
            classes = self.training.num_classes
            return functools.partial(train_elsewhere, self.config, classes, batch, str(self.folder.path.resolve()))
        text = f"memorization {number}/{len(self.batches)}, share {batch[0].share:g}"
        return lambda: self.training.train(batch, self.folder.path, stop, text)

    def _packed(self) -> Answers:
        """Joins the cells into the three matrices, writes them and the measurements of every network."""
        images, tests = len(self.inputs.image_ids), len(self.inputs.bank.test)
        parts: dict[str, list[np.ndarray]] = {"correct_train": [], "correct_test": [], "diverged": [], "seconds": []}
        for batch in self.batches:
            with np.load(cell_file(self.folder.path, batch)) as stored:
                for name, column in parts.items():
                    column.append(np.atleast_1d(stored[name]))
        train, test, diverged = (np.concatenate(parts[n]) for n in ("correct_train", "correct_test", "diverged"))
        if not len(train) == len(test) == len(diverged) == len(self.models):
            raise CorruptRunFile(
                f"{self.folder.path / CELLS} must hold {len(self.models)} networks, holds {len(train)}"
            )
        subset = np.concatenate([packed_bits.pack(self.training.mask(model).numpy()[None]) for model in self.models])
        for name, matrix in (("subset", subset), ("correct_train", train), ("correct_test", test)):
            write_with(self.folder.path / f"{name}.npy", lambda file, matrix=matrix: np.save(file, matrix))
        inside, outside = _accuracies(train, subset, images)
        answers = Answers(
            subset=subset,
            correct_train=train,
            correct_test=test,
            diverged=diverged,
            train_accuracy=inside,
            held_out_accuracy=outside,
            test_accuracy=packed_bits.ones(test) / tests,
            seconds=float(np.concatenate(parts["seconds"]).sum()),
        )
        self._write_measurements(answers)
        return answers

    def _write_measurements(self, answers: Answers) -> None:
        self.folder.metrics.keep(lambda line: False)
        values = (answers.train_accuracy, answers.held_out_accuracy, answers.test_accuracy)
        lines = []
        for model, *row in zip(self.models, *values, strict=True):
            own = self.training.training(model.share)
            step = own.epochs * self.training.steps_per_epoch(model.share)
            for split, value in zip(("train", "held-out", "test"), row, strict=True):
                about = {"run": model.run, "share": model.share}
                lines.append(measurement(step, own.epochs, split, "accuracy_clean", None, float(value), **about))
        self.folder.metrics.append(lines)

    def _write_plan(self, further: dict[str, Any]) -> None:
        """plan.parquet: what every network is, and, once they are all there, how it did."""
        seeds = self.config.seeds()
        config_hash = json.loads((self.folder.path / "config.json").read_bytes())["hash"]
        runs = [model.run for model in self.models]
        images = len(self.inputs.image_ids)
        self.folder.write_columns(
            "plan.parquet",
            {
                "run_id": np.array(runs, dtype=np.int64),
                "share": np.array([model.share for model in self.models]),
                "images": np.array([subset_size(images, model.share) for model in self.models], dtype=np.int64),
                "subset_seed": np.full(len(runs), seeds.data, dtype=np.uint64),
                "init_seed": np.array([network_seed(seeds.init, run) for run in runs], dtype=np.uint64),
                "order_seed": np.array([network_seed(seeds.order, run) for run in runs], dtype=np.uint64),
                "config_hash": np.array([config_hash] * len(runs)),
                **further,
            },
        )


def _accuracies(correct: np.ndarray, subset: np.ndarray, images: int) -> tuple[np.ndarray, np.ndarray]:
    """float64 [R] each: accuracy on the images trained on, and on the others."""
    seen, right = packed_bits.ones(subset), packed_bits.ones(correct)
    right_seen = packed_bits.ones(correct & subset)
    return right_seen / seen, (right - right_seen) / (images - seen)
