"""When a training is saved, and the seconds it took in all its processes."""

from __future__ import annotations

import pytest

from rote.experiments.base import saving
from rote.experiments.base.saving import SAVE_EVERY_SECONDS, Saving
from rote.experiments.base.stopping import Stopped


@pytest.fixture
def clock(monkeypatch):
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr(saving.time, "monotonic", lambda: now[0])
    return now


def test_saves_when_due_and_counts_from_the_last_time(clock):
    saved = []
    training = Saving(saved.append, spent=7.0)
    for passed in (1, SAVE_EVERY_SECONDS, SAVE_EVERY_SECONDS + 1, SAVE_EVERY_SECONDS + 2, 2 * SAVE_EVERY_SECONDS + 1):
        clock[0] = 100.0 + passed
        training.after_step(False, None)
    assert saved == [7.0 + SAVE_EVERY_SECONDS + 1]
    clock[0] += 1
    training.if_due()
    assert saved[1:] == [7.0 + 2 * SAVE_EVERY_SECONDS + 2]
    assert training.seconds == saved[1]


def test_a_stop_saves_first(clock, tmp_path):
    saved = []
    training = Saving(saved.append)
    clock[0] = 102.0
    with pytest.raises(Stopped, match="stopped after step 3 of 9"):
        training.after_step(True, lambda: Stopped(tmp_path, 3, 9))
    assert saved == [2.0]
