"""Ctrl-C between two steps: the state is saved, and the same command goes on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Stopped(Exception):
    """The user stopped the run; its state is saved.

    Attributes:
        folder: the run folder.
    """

    def __init__(self, folder: Path, done: int, total: int, unit: str = "step") -> None:
        super().__init__(f"stopped after {unit} {done:,} of {total:,} and saved in {folder}; the same command goes on")
        self.folder = folder


class StopRequest:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.made = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turns the first Ctrl-C (or SIGTERM) into a request; the second one interrupts at once.

    In a thread other than the main one signals cannot be caught, and the request is never made.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(number: int, frame: object) -> None:
        if request.made:
            raise KeyboardInterrupt
        request.made = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
