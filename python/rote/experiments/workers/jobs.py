"""Jobs, how they end, and the loop that hands them out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch

from rote.experiments.base.stopping import Stopped, StopRequest
from rote.train import TrainingDiverged, TrainingOutOfMemory

State = Literal["finished", "diverged", "memory", "died", "error", "stopped"]
#: How a job can fail: its loss is not finite, memory does not suffice, its process died, anything else was raised.
FAILURES: tuple[State, ...] = ("diverged", "memory", "died", "error")


@dataclass(frozen=True)
class Job:
    """A piece of work that leaves its result in files.

    Attributes:
        name: of its own among the jobs, for messages and records.
        work: called without arguments. Actors need one that pickles: a `functools.partial` of a module's function.
    """

    name: str
    work: Callable[[], Any] = field(compare=False)


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        state: "finished", one of `FAILURES`, or "stopped" on an actor that was told to stop.
        message: of the error.
        seconds: it took.
        value: what the work returned.
        error: the exception, where it was raised in this process.
    """

    state: State
    message: str = ""
    seconds: float = 0.0
    value: Any = None
    error: Exception | None = field(default=None, compare=False)

    @property
    def failed(self) -> bool:
        """Whether it neither finished nor was told to stop."""
        return self.state in FAILURES


class Workers(Protocol):
    """Those that do jobs. `start` may be called `idle` times before `next` has to give something back."""

    @property
    def idle(self) -> int:
        """How many jobs may be started now."""

    @property
    def busy(self) -> int:
        """How many are under way."""

    def start(self, job: Job) -> None:
        """Hands a job out, without waiting for its end."""

    def next(self) -> tuple[Job, Outcome] | None:
        """A job that ended; None after a second without any."""

    def close(self) -> None:
        """Ends the workers, whatever they are doing."""

    def __enter__(self) -> Workers: ...

    def __exit__(self, *exception: object) -> None: ...


def perform(job: Job) -> Outcome:
    """Does a job here and says how it ended.

    Raises:
        Stopped, KeyboardInterrupt: Ctrl-C, which is about all jobs.
    """
    begin = time.monotonic()

    def ended(state: State, error: Exception) -> Outcome:
        return Outcome(state, f"{type(error).__name__}: {error}", time.monotonic() - begin, error=error)

    try:
        value = job.work()
    except Stopped:
        raise
    except TrainingDiverged as error:
        return ended("diverged", error)
    except (TrainingOutOfMemory, MemoryError, torch.OutOfMemoryError) as error:
        return ended("memory", error)
    except Exception as error:
        return ended("error", error)
    return Outcome("finished", seconds=time.monotonic() - begin, value=value)


def performed(
    workers: Workers, jobs: Iterable[Job], stop: StopRequest, again: Callable[[Job, Outcome], bool]
) -> Iterator[tuple[Job, Outcome]]:
    """Hands jobs out in order and gives back each end as it comes; ends early where a stop was asked for.

    Args:
        workers: who does them.
        jobs: each is handed out once.
        stop: whether Ctrl-C was pressed.
        again: whether a failed job is handed out once more, behind those that wait; asked after its end was given back.
    """
    waiting = deque(jobs)
    while (waiting or workers.busy) and not stop.made:
        while waiting and workers.idle:
            workers.start(waiting.popleft())
        ended = workers.next()
        if ended is None:
            continue
        yield ended
        if ended[1].failed and again(*ended):
            waiting.append(ended[0])
