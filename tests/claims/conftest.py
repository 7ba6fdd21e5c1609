from __future__ import annotations

import pytest

from rote.claims import claims_table

from .runs import Runs


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "runs")


@pytest.fixture
def judged(runs):
    """judged(number) -> the measured lines of a claim, or its only line where nothing was measured."""

    def judge(number: int):
        lines = [line for line in claims_table(runs.folders) if line.criterion.number == number]
        measured = [line for line in lines if line.state != "not run"]
        return measured or lines

    return judge
