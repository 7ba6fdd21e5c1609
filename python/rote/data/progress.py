"""How far a long job is: a bar from rich on a terminal, two plain lines elsewhere."""

from __future__ import annotations

import sys
import time


class Progress:
    """Counts finished items on standard error. Use as a context manager.

    Args:
        total: number of items.
        what: what is counted, in the plural and done, such as "pictures decoded".
        shown: False keeps silent.
    """

    def __init__(self, total: int, what: str, shown: bool) -> None:
        self.total, self.what, self.shown = total, what, shown
        self.done = 0
        self._bar = self._task = None

    def __enter__(self) -> Progress:
        self._started = time.perf_counter()
        if self.shown and sys.stderr.isatty():
            self._bar = _rich_bar()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self.what, total=self.total)
        elif self.shown:
            print(f"0 of {self.total} {self.what}", file=sys.stderr, flush=True)
        return self

    def advance(self, count: int) -> None:
        self.done += count
        if self._bar is not None:
            self._bar.advance(self._task, count)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self.shown:
            seconds = time.perf_counter() - self._started
            print(f"{self.done} of {self.total} {self.what} in {seconds:.1f} s", file=sys.stderr, flush=True)


def _rich_bar():
    """A bar with count, rate and time left, or None where rich is not installed."""
    try:
        from rich import progress
        from rich.console import Console
    except ModuleNotFoundError:
        return None
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
