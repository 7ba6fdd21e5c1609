"""rote/train/progress.py: throughput and time left, as a bar on a terminal and as plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import Any, TextIO

# Throughput is that of the last so many seconds, so that it follows a machine that others use too.
_WINDOW_SECONDS = 20.0


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Progress:
    """Reports the steps of one run; use it as a context manager.

    On a terminal it draws a bar with rich, where that is installed; elsewhere it prints a line every
    `line_seconds`, and a last one at the end.

    Args:
        total_steps: steps of the whole run.
        batch_size: images per step.
        description: what runs.
        start: the step a resumed run begins at; steps before it do not count as throughput.
        file: where to write; standard error by default.
        line_seconds: seconds between two plain lines.
    """

    def __init__(
        self,
        total_steps: int,
        batch_size: int,
        description: str = "training",
        *,
        start: int = 0,
        file: TextIO | None = None,
        line_seconds: float = 10.0,
    ) -> None:
        self.total_steps = total_steps
        self.batch_size = batch_size
        self.description = description
        self._file = sys.stderr if file is None else file
        self._line_seconds = line_seconds
        self._step = start
        self._start = start
        self._begin = self._last = self._last_line = time.perf_counter()
        self._points: deque[tuple[float, int]] = deque([(self._begin, start)])
        self._paused = self._recurring = 0.0
        self._values: dict[str, Any] = {}
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        self._begin = self._last = self._last_line = time.perf_counter()
        self._points = deque([(self._begin, self._step)])
        if self._file.isatty():
            self._open_bar()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self._step, status=self._status())
            self._bar.stop()
        else:
            self._print_line()

    def update(self, step: int, **values: Any) -> None:
        """Tells that `step` steps are done; `values` (accuracy=0.93, ...) stay on display until told anew.

        Time in which no step was done (an evaluation) does not count against throughput, only towards time left.
        """
        now = time.perf_counter()
        if step == self._step:
            self._paused += now - self._last
            if step > self._start:  # what is measured once, before the first step, does not come again
                self._recurring += now - self._last
        self._last, self._step = now, step
        self._values |= values
        trained = now - self._paused
        self._points.append((trained, step))
        while len(self._points) > 2 and trained - self._points[0][0] > _WINDOW_SECONDS:
            self._points.popleft()
        if self._bar is not None:
            self._bar.update(self._task, completed=step, status=self._status())
        elif now - self._last_line >= self._line_seconds:
            self._print_line()

    @property
    def images_per_second(self) -> float:
        """Images trained on per second over the last seconds of training."""
        (begin, first), (end, last) = self._points[0], self._points[-1]
        return (last - first) * self.batch_size / (end - begin) if end > begin else 0.0

    @property
    def mean_images_per_second(self) -> float:
        """Images trained on per second of training since the start."""
        elapsed = self._points[-1][0] - self._begin
        return (self._step - self._start) * self.batch_size / elapsed if elapsed > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Expected time to the last step, evaluations like those so far included; None before the first step."""
        rate = self.images_per_second
        if rate <= 0:
            return None
        pause_per_step = self._recurring / (self._step - self._start)
        return (self.total_steps - self._step) * (self.batch_size / rate + pause_per_step)

    def _status(self) -> str:
        left = self.seconds_left
        parts = [f"{self.images_per_second:,.0f} images/s", f"{'?' if left is None else _duration(left)} left"]
        for name, value in self._values.items():
            parts.append(f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}")
        return ", ".join(parts)

    def _print_line(self) -> None:
        self._last_line = time.perf_counter()
        line = f"{self.description}: step {self._step:,}/{self.total_steps:,}, {self._status()}"
        print(line, file=self._file, flush=True)

    def _open_bar(self) -> None:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
        except ImportError:  # plain lines do as well; rich comes with the extra [lab]
            return
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}"),
            console=Console(file=self._file),
        )
        self._task = self._bar.add_task(
            self.description, total=self.total_steps, completed=self._step, status=self._status()
        )
        self._bar.start()
