"""What a run will take on this machine, told before it starts: `--dry-run`.

Steps and samples are counted; time is measured, on real steps and real evaluations of the very run in a folder that is
thrown away afterwards. Nothing is written to the run's own folder.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.benign import BenignConfig, benign
from rote.experiments.capacity import CapacityConfig
from rote.experiments.forecasting.benign import BenignMeter, quietly
from rote.experiments.forecasting.capacity import most_of_capacity
from rote.experiments.forecasting.sensitivity import sensitivity_costs
from rote.experiments.forecasting.trainings import together, trainings_costs, trainings_of
from rote.experiments.sensitivity import SensitivityConfig

# An examination is timed on a network trained for one epoch; where that alone takes longer than so many seconds, it is
# not timed.
LONGEST_EPOCH = 60.0


@dataclass(frozen=True)
class Part:
    """A part of a run.

    Attributes:
        name: "training", "evaluations", "analysis", ...
        seconds: expected; None where it is not known before.
        detail: what it consists of.
    """

    name: str
    seconds: float | None
    detail: str = ""


@dataclass(frozen=True)
class Forecast:
    """What a run will take.

    Attributes:
        experiment: its name.
        steps: updates still to be done, of all networks.
        samples: images shown in them, each visit counted.
        parts: where the time goes.
        memory_bytes: peak memory while it was measured: of the device on CUDA, of this process on the CPU.
        device: "cpu", "cuda".
        finished: whether the run is there already, so that nothing is left to do.
        at_most: whether the run finds out on its way how long it trains, and these are the most it can take.
    """

    experiment: str
    steps: int
    samples: int
    parts: tuple[Part, ...]
    memory_bytes: int
    device: str
    finished: bool = False
    at_most: bool = False

    @property
    def seconds(self) -> float:
        """Expected time of the parts that are known."""
        return sum(part.seconds or 0.0 for part in self.parts)

    def lines(self) -> list[str]:
        """As text."""
        if self.finished:
            return [f"{self.experiment}: finished already, nothing to do"]
        most = "at most " if self.at_most else ""
        text = [f"{self.experiment}: {most}{self.steps:,} steps, {self.samples:,} samples (images x visits)"]
        for part in self.parts:
            taken = "not known" if part.seconds is None else duration(part.seconds)
            text.append(f"  {part.name:<12} {taken:>9}" + (f"   {part.detail}" if part.detail else ""))
        text.append(f"  {'total':<12} {most + duration(self.seconds):>9}   on {self.device}, this machine as it is now")
        whose = "device" if self.device.startswith("cuda") else "process"
        text.append(f"  {'memory':<12} {self.memory_bytes / 2**30:>5.1f} GiB   peak of this {whose} while measuring")
        return text


def duration(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss, tenths below ten seconds."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Forecaster:
    """Forecasts of several runs; what they have in common is measured once.

    Args:
        same_process: whether the runs follow in this process, which by then knows what the probe says of raw pixels.
    """

    def __init__(self, *, same_process: bool = False) -> None:
        self.same_process = same_process
        self.meter = BenignMeter()
        self._analyses: dict[tuple, float | None] = {}

    def forecast(self, config: ExperimentConfig, *, made: Collection[ExperimentConfig] = ()) -> Forecast:
        """What the run of a config will take.

        Args:
            config: the run.
            made: benign runs, resolved, that will have been made before.

        Raises:
            ValueError: an option that does not fit the data or the network, or an experiment of which nothing can be
                told before it runs.
        """
        config = config.resolved()
        if type(config) is BenignConfig:
            return self._benign(config)
        if isinstance(config, CapacityConfig):
            return self._capacity(config)
        if trainings_of(config, 2):
            return self._trainings(config)
        if isinstance(config, SensitivityConfig):
            return self._sensitivity(config)
        runs = config.benign_runs()
        if not runs:
            raise ValueError(f"--dry-run knows no way to tell how long {config.name_of_experiment} takes")
        return self._examination(config, [run for run in runs if run.resolved() not in made], runs)

    def _benign(self, config: BenignConfig) -> Forecast:
        if self.meter.finished(config):
            return _nothing(config)
        costs = self.meter.measure(config)
        parts = (
            Part(
                "training",
                costs.training,
                f"{1000 * costs.step:.1f} ms a step, {costs.batch_size / costs.step:,.0f} images/s",
            ),
            Part(
                "evaluations",
                costs.evaluations,
                f"{costs.evaluation_count}: first and last {duration(costs.whole)}, along the way "
                f"{duration(costs.between)}",
            ),
            Part("raw pixels", 0.0 if self.same_process else costs.pixels, "once for all runs of a process"),
            Part("saving", costs.saving, "checkpoints and tables"),
        )
        samples = costs.steps * costs.batch_size
        return Forecast("benign", costs.steps, samples, parts, self.meter.memory(), costs.device)

    def _capacity(self, config: CapacityConfig) -> Forecast:
        most = most_of_capacity(config, self.meter)
        if most is None:
            return _nothing(config)
        parts = (Part("training", most.seconds, most.detail),)
        return Forecast("capacity", most.steps, most.samples, parts, self.meter.memory(), most.device, at_most=True)

    def _trainings(self, config: ExperimentConfig) -> Forecast:
        found = trainings_costs(config, self.meter)
        if found is None:
            return _nothing(config)
        parts = [
            Part(each.trainings.name, each.training, f"{each.trainings.networks} networks, one at a time")
            for each in found
        ]
        parts.append(Part("evaluations", sum(each.evaluations for each in found)))
        return Forecast(
            config.name_of_experiment,
            sum(each.steps for each in found),
            sum(each.samples for each in found),
            tuple(parts),
            self.meter.memory(),
            self.meter.device(config),
            at_most=together(config),
        )

    def _sensitivity(self, config: SensitivityConfig) -> Forecast:
        costs = sensitivity_costs(config, self.meter)
        if costs is None:
            return _nothing(config)
        parts = (
            Part("training", costs.training),
            Part("going back", costs.going_back, f"over {costs.epochs_back:,} epochs in all"),
        )
        memory, device = self.meter.memory(), self.meter.device(config)
        return Forecast("sensitivity", costs.steps, costs.samples, parts, memory, device)

    def _examination(
        self, config: ExperimentConfig, to_make: Sequence[BenignConfig], runs: Sequence[BenignConfig]
    ) -> Forecast:
        if self.meter.finished(config):
            return _nothing(config)
        forecasts = [self._benign(run.resolved()) for run in to_make]
        parts = []
        for name in ("training", "evaluations", "raw pixels", "saving"):
            found = [part for forecast in forecasts for part in forecast.parts if part.name == name]
            if name == "raw pixels":
                found = found[:1]
            missing = sum(not forecast.finished for forecast in forecasts)
            detail = f"{missing} of {len(runs)} benign runs are to be made" if name == "training" else ""
            parts.append(Part(name, sum(part.seconds or 0.0 for part in found), detail))
        parts.append(self._analysis(config, runs))
        return Forecast(
            config.name_of_experiment,
            sum(forecast.steps for forecast in forecasts),
            sum(forecast.samples for forecast in forecasts),
            tuple(parts),
            self.meter.memory(),
            self.meter.device(config),
        )

    def _analysis(self, config: ExperimentConfig, runs: Sequence[BenignConfig]) -> Part:
        if len(runs) > 1:
            return Part("analysis", None, "reads the tables of its benign runs: seconds")
        key = (config.name_of_experiment, self.meter.kind_of(runs[0].resolved()), config.as_dict().get("finetune"))
        if key not in self._analyses:
            self._analyses[key] = self._timed_analysis(config, runs[0].resolved())
        seconds = self._analyses[key]
        if seconds is None:
            return Part("analysis", None, "not measured: it takes a trained network, and one epoch is long")
        return Part("analysis", seconds, "timed on a network of one epoch")

    def _timed_analysis(self, config: ExperimentConfig, run: BenignConfig) -> float | None:
        from rote.experiments import EXPERIMENTS

        if self.meter.seconds_of_epoch(run) > LONGEST_EPOCH:
            return None
        with tempfile.TemporaryDirectory(prefix="rote-dry-run-") as folder:
            short = {"epochs": 1, "evaluations": 1, "out": Path(folder), "name": None, "fresh": False}
            short |= {"keep_checkpoints": ()}
            bank = self.meter.bank(config)
            with quietly():
                benign(dataclasses.replace(run, **short), data=bank)
                begin = time.perf_counter()
                EXPERIMENTS[config.name_of_experiment](config.shortened(**short), data=bank)
                return time.perf_counter() - begin


def _nothing(config: ExperimentConfig) -> Forecast:
    return Forecast(config.name_of_experiment, 0, 0, (), 0, "", finished=True)
