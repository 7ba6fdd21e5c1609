"""Who does the work of a long list of jobs: this process, or actors of a Ray cluster that are pinned to devices."""

from __future__ import annotations

from rote.experiments.workers.in_process import InProcess
from rote.experiments.workers.jobs import FAILURES, Job, Outcome, Workers, perform, performed

__all__ = ["FAILURES", "InProcess", "Job", "Outcome", "Workers", "open_workers", "perform", "performed"]


def open_workers(executor: str, workers: int, *, address: str | None = None) -> Workers:
    """Workers by name.

    Args:
        executor: "local": one job after another in this process; "ray": actors.
        workers: number of actors; 1 with "local".
        address: of a Ray cluster that is there already; one is started on this machine otherwise.

    Raises:
        ValueError: more workers than "local" has, or than the cluster has devices.
        ModuleNotFoundError: Ray is not installed.
    """
    if executor == "local":
        if workers != 1:
            raise ValueError(f"--workers belongs to --executor ray; local is one process, got {workers}")
        return InProcess()
    from rote.experiments.workers.on_ray import RayWorkers

    return RayWorkers(workers, address=address)
