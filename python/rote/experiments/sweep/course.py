"""The course of a sweep: what is missing is run, what fails is noted, and the rest goes on."""

from __future__ import annotations

import dataclasses
import functools
import sys
from dataclasses import dataclass
from pathlib import Path

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.stopping import Stopped, stop_requests
from rote.experiments.sweep.attempts import Attempts
from rote.experiments.sweep.options import SweepOptions
from rote.experiments.sweep.plan import SweepPlan, SweepRun
from rote.experiments.workers import Job, Outcome, open_workers, performed
from rote.runs.lock import FolderLock
from rote.runs.whole_files import clear_partial


@dataclass(frozen=True)
class SweepResult:
    """How a sweep ended.

    Attributes:
        skipped: runs that were there before.
        made: runs finished now.
        failed: runs that are not there, with the message of their last attempt.
    """

    skipped: int
    made: int
    failed: tuple[tuple[SweepRun, str], ...]


def make(plan: SweepPlan, options: SweepOptions) -> SweepResult:
    """Makes every run that is missing, here or on actors.

    A run whose folder is complete is skipped; one that was stopped goes on where it stood. A run that fails is noted in
    attempts.jsonl, and tried again behind the others while `options.retries` lasts.

    Args:
        plan: the sweep.
        options: who runs, and what is tried again.

    Raises:
        Stopped: Ctrl-C; the states are saved, and the same call goes on.
        RunLocked: another process is at this sweep.
        RunMismatch: the folder holds another sweep.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(plan.folder)
    try:
        clear_partial(plan.folder)
        plan.write()
        return _Course(plan, options).run()
    finally:
        lock.release()


class _Course:
    def __init__(self, plan: SweepPlan, options: SweepOptions) -> None:
        self.plan = plan
        self.options = options
        self.attempts = Attempts(plan.folder)
        self.by_name = {run.config_hash: run for run in plan.runs}

    def run(self) -> SweepResult:
        missing = [run for run in self.plan.runs if not run.finished]
        todo = [run for run in missing if self._may_be_tried(run)]
        skipped = len(self.plan.runs) - len(missing)
        done = 0
        elsewhere = self.options.executor == "ray"
        jobs = [Job(run.config_hash, functools.partial(run_one, _placed(run.config, elsewhere))) for run in todo]
        if jobs:
            with (
                stop_requests() as stop,
                open_workers(self.options.executor, self.options.workers, address=self.options.ray_address) as workers,
            ):
                for job, outcome in performed(workers, jobs, stop, self._again):
                    if outcome.state == "stopped":
                        continue
                    run = self.by_name[job.name]
                    self.attempts.add(run.run_id, run.config_hash, outcome)
                    done += outcome.state == "finished"
                    self._say(run, outcome, done, len(todo))
                if stop.made:
                    raise Stopped(self.plan.folder, skipped + done, len(self.plan.runs), "run")
        left = [run for run in missing if not run.finished]
        return SweepResult(skipped, len(missing) - len(left), tuple((run, self._message(run)) for run in left))

    def _may_be_tried(self, run: SweepRun) -> bool:
        last = self.attempts.last(run.config_hash)
        if last is None or last["state"] == "finished":
            return True
        return last["state"] in self.options.retry and self.attempts.failures(run.config_hash) <= self.options.retries

    def _again(self, job: Job, outcome: Outcome) -> bool:
        return self._may_be_tried(self.by_name[job.name])

    def _say(self, run: SweepRun, outcome: Outcome, done: int, total: int) -> None:
        how = f"finished in {outcome.seconds:.1f} s" if not outcome.failed else f"{outcome.state}: {outcome.message}"
        print(f"rote: {done} of {total} runs; {run.words}: {how}", file=sys.stderr, flush=True)

    def _message(self, run: SweepRun) -> str:
        last = self.attempts.last(run.config_hash)
        return "not run" if last is None else f"{last['state']}: {last['message']}"


def run_one(config: ExperimentConfig) -> None:
    """One run to its end, in whatever process.

    Raises:
        Stopped, TrainingDiverged, TrainingOutOfMemory: as the experiment does.
    """
    from rote.experiments import EXPERIMENTS

    EXPERIMENTS[config.name_of_experiment](config)


def _placed(config: ExperimentConfig, elsewhere: bool) -> ExperimentConfig:
    """For a process with another working directory: paths that do not hang on it."""
    if not elsewhere:
        return config
    root = None if config.root is None else Path(config.root).resolve()
    return dataclasses.replace(config, out=Path(config.out).resolve(), root=root)
