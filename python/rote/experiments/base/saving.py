"""When a training under way is saved, and how long it has taken in all the processes that worked on it."""

from __future__ import annotations

import time
from collections.abc import Callable

from rote.experiments.base.stopping import Stopped

# A killed process loses at most this much work.
SAVE_EVERY_SECONDS = 30.0


class Saving:
    """Saves a training when that is due, and before it stops.

    Args:
        save: writes the state, from the seconds it has taken so far.
        spent: seconds of the processes before this one.
    """

    def __init__(self, save: Callable[[float], None], spent: float = 0.0) -> None:
        self._save = save
        self._spent = spent
        self._begin = self._saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds up to now, those of the processes before included."""
        return self._spent + time.monotonic() - self._begin

    def now(self) -> None:
        """Saves."""
        self._save(self.seconds)
        self._saved = time.monotonic()

    def if_due(self) -> None:
        """Saves, if the last time is long ago."""
        if time.monotonic() - self._saved > SAVE_EVERY_SECONDS:
            self.now()

    def after_step(self, stop: bool, stopped: Callable[[], Stopped]) -> None:
        """Saves, if that is due; where a stop was asked for it saves and raises what `stopped` makes."""
        if stop:
            self.now()
            raise stopped()
        self.if_due()
