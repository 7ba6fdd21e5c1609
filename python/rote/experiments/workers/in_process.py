"""One job after another, in this process."""

from __future__ import annotations

from rote.experiments.workers.jobs import Job, Outcome, perform


class InProcess:
    """Workers of one: compiled code, data and kernels stay warm from job to job."""

    def __init__(self) -> None:
        self._job: Job | None = None

    @property
    def idle(self) -> int:
        return int(self._job is None)

    @property
    def busy(self) -> int:
        return int(self._job is not None)

    def start(self, job: Job) -> None:
        self._job = job

    def next(self) -> tuple[Job, Outcome] | None:
        """Does the job.

        Raises:
            Stopped, KeyboardInterrupt: Ctrl-C.
        """
        job, self._job = self._job, None
        return None if job is None else (job, perform(job))

    def close(self) -> None:
        self._job = None

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
