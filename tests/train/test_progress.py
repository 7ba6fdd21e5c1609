"""Progress lines: throughput, time left, plain text where there is no terminal."""

from __future__ import annotations

import io

import pytest

from rote.train import Progress, progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_plain_lines_tell_throughput_and_time_left(clock):
    out = io.StringIO()
    with Progress(1000, 128, "benign", file=out, line_seconds=10) as bar:
        for step in range(1, 101):
            clock[0] += 0.15
            bar.update(step, accuracy=0.5)
        assert bar.images_per_second == pytest.approx(128 / 0.15)
        assert bar.seconds_left == pytest.approx(900 * 0.15)
    lines = out.getvalue().splitlines()
    assert len(lines) == 2, "one line after ten seconds, one at the end"
    assert lines[-1] == "benign: step 100/1,000, 853 images/s, 2:15 left, accuracy 0.500"


def test_throughput_follows_the_last_seconds_and_ignores_steps_before_a_resume(clock):
    with Progress(10_000, 10, start=500, file=io.StringIO()) as bar:
        assert bar.seconds_left is None
        for step in range(501, 601):
            clock[0] += 1.0
            bar.update(step)
        assert bar.images_per_second == pytest.approx(10.0)
        for step in range(601, 1000):
            clock[0] += 0.1
            bar.update(step)
        assert bar.images_per_second == pytest.approx(100.0)
        assert bar.mean_images_per_second == pytest.approx(499 * 10 / (100 + 39.9))


def test_evaluations_count_towards_time_left_and_not_against_throughput(clock):
    with Progress(200, 10, file=io.StringIO()) as bar:
        clock[0] += 1000.0  # an evaluation before the first step, which does not come again
        bar.update(0)
        for step in range(1, 101):
            clock[0] += 0.1
            bar.update(step)
        clock[0] += 50.0
        bar.update(100, clean=0.5)
        assert bar.images_per_second == pytest.approx(100.0)
        assert bar.seconds_left == pytest.approx(100 * (0.1 + 0.5))
        clock[0] += 0.1
        bar.update(101)
        assert bar.images_per_second == pytest.approx(100.0)


def test_hours_are_written_out():
    assert progress._duration(3 * 3600 + 62) == "3:01:02"
    assert progress._duration(59.6) == "1:00"


def test_a_terminal_gets_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    with Progress(4, 2, "run", file=out) as bar:
        bar.update(4)
    assert "run" in out.getvalue()
