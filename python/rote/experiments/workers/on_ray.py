"""Actors of a Ray cluster, each pinned to a device, each doing many jobs in one process.

Start-up and compilation cost more than a small training, so the unit is a worker, not a job. Results go through files
that every machine of the cluster sees (a shared file system); over the wire go jobs and how they ended. An actor that
dies is replaced, and its job counts as failed ("died").
"""

from __future__ import annotations

import logging
from typing import Any

from rote.experiments.base.stopping import Stopped
from rote.experiments.workers.jobs import Job, Outcome, perform
from rote.extras import wanted_for

#: Bytes of the shared memory of a cluster that is started here; jobs and outcomes are small.
OBJECT_STORE = 80 * 2**20
_WAIT_SECONDS = 1.0


class RayWorkers:
    """Workers on Ray.

    Where the cluster has GPUs each actor has one to itself (num_gpus=1), elsewhere one CPU (num_cpus=1) and one thread.

    Args:
        workers: number of actors.
        address: of a cluster ("auto", "host:port"). Without it the one this process is connected to, else one is
            started on this machine, and shut down by `close`.

    Raises:
        ModuleNotFoundError: Ray is not installed.
        ValueError: fewer devices than workers: an actor more would wait for ever.
    """

    def __init__(self, workers: int, *, address: str | None = None) -> None:
        with wanted_for("--executor ray", "ray"):
            import ray
        if workers < 1:
            raise ValueError(f"--workers must be at least 1; got {workers}")
        self._ray = ray
        self._started = not ray.is_initialized()
        if self._started:
            _connect(ray, workers, address)
        resources = ray.cluster_resources()
        kind = "GPU" if resources.get("GPU", 0) >= 1 else "CPU"
        if workers > resources.get(kind, 0):
            there = int(resources.get(kind, 0))
            self.close()
            raise ValueError(f"--workers must be at most {there}, the {kind}s of the Ray cluster; got {workers}")
        pinned = {"num_gpus": 1, "num_cpus": 0} if kind == "GPU" else {"num_cpus": 1}
        # No restarts of Ray's own: a death is told to the caller, whose rule for repetitions it falls under.
        self._actor = ray.remote(max_restarts=0, max_task_retries=0, **pinned)(Worker)
        self._idle: list[Any] = [None] * workers  # None: an actor that is yet to be made
        self._running: dict[Any, tuple[Job, Any]] = {}

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def busy(self) -> int:
        return len(self._running)

    def start(self, job: Job) -> None:
        """Hands a job to an idle actor."""
        actor = self._idle.pop() or self._actor.remote()
        self._running[actor.perform.remote(job.name, job.work)] = (job, actor)

    def next(self) -> tuple[Job, Outcome] | None:
        """A job that ended; None after a second without any."""
        ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_WAIT_SECONDS)
        if not ended:
            return None
        job, actor = self._running.pop(ended[0])
        errors = self._ray.exceptions
        try:
            outcome = self._ray.get(ended[0])
        except errors.OutOfMemoryError as error:
            outcome = Outcome("memory", _first_line(error))
        except errors.RayActorError as error:
            outcome = Outcome("died", _first_line(error))
        except errors.RayError as error:
            outcome = Outcome("error", _first_line(error))
        else:
            self._idle.append(actor)
            return job, outcome
        self._ray.kill(actor)
        self._idle.append(None)
        return job, outcome

    def close(self) -> None:
        """Ends the actors, whatever they are doing; their checkpoints stay. Ends a cluster that was started here."""
        for actor in (*getattr(self, "_idle", ()), *(actor for _, actor in getattr(self, "_running", {}).values())):
            if actor is not None:
                self._ray.kill(actor)
        self._idle, self._running = [], {}
        if self._started:
            self._ray.shutdown()

    def __enter__(self) -> RayWorkers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Worker:
    """What an actor is: a process that does jobs."""

    def perform(self, name: str, work: Any) -> Outcome:
        """Does one; its exception stays here, as text."""
        try:
            found = perform(Job(name, work))
        except Stopped as stopped:
            return Outcome("stopped", str(stopped))
        return Outcome(found.state, found.message, found.seconds, found.value)


def _connect(ray: Any, workers: int, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is not None:
        ray.init(address=address, **quiet)
        return
    ray.init(
        num_cpus=workers,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE,
        **quiet,
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"
