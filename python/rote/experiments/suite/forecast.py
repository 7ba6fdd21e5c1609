"""How long the suite takes: measured once before it starts, corrected by what its runs really take."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rote.experiments.forecasting.forecaster import Forecaster, duration
from rote.experiments.suite.plan import Planned, SuiteConfig, parts
from rote.runs.folder import read_json
from rote.runs.whole_files import write_json

LINE_SECONDS = 10.0
# A suite that goes on finds its times here: measuring them takes minutes.
MEMORY = "plan.json"


@dataclass
class SuiteForecast:
    """The plan with its times.

    Attributes:
        planned: the runs.
        seconds: expected of each; 0 for what is finished.
        unknown: positions of runs of which a part could not be told.
        at_most: positions of runs whose time is the most they can take.
        omitted: why runs are left out, or "".
    """

    planned: Sequence[Planned]
    seconds: list[float]
    unknown: set[int] = field(default_factory=set)
    at_most: set[int] = field(default_factory=set)
    omitted: str = ""
    _expected: float = 0.0
    _taken: float = 0.0

    def lines(self) -> list[str]:
        """The plan as text: a line for each part, and the whole."""
        text = ["plan, in this order:"]
        position = 0
        numbers: dict[str, list[int]] = {}
        for position, run in enumerate(self.planned):
            numbers.setdefault(run.part, []).append(position)
        for part, runs in parts(self.planned).items():
            own = numbers[part]
            claims = sorted({claim for run in runs for claim in run.claims})
            most = "at most " if self.at_most & set(own) else ""
            done = sum(self.seconds[number] == 0 for number in own)
            left = f", {done} there already" if done else ""
            taken = duration(sum(self.seconds[number] for number in own))
            named = ", ".join(map(str, claims))
            text.append(f"  {part:<30} {len(own):>3} runs  {most + taken:>15}   claims {named}{left}")
        text.append(f"  {'all':<30} {len(self.planned):>3} runs  {duration(sum(self.seconds)):>15}")
        return [*text, self.omitted] if self.omitted else text

    def took(self, position: int, seconds: float) -> None:
        """Tells how long a run really took; it is finished."""
        if self.seconds[position] > 0 and position not in self.at_most:
            self._expected += self.seconds[position]
            self._taken += seconds
        self.seconds[position] = 0.0

    def remember(self, out: Path) -> None:
        """Writes the times of what is left into the suite's folder."""
        record = {"plan": _digest(self.planned), "seconds": self.seconds, "omitted": self.omitted}
        sets = {"unknown": sorted(self.unknown), "at_most": sorted(self.at_most)}
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / MEMORY, {**record, **sets})

    @classmethod
    def remembered(cls, out: Path, planned: Sequence[Planned]) -> SuiteForecast | None:
        """What an earlier call with the same plan left in the folder; None where there is nothing."""
        if not (out / MEMORY).exists():
            return None
        record = read_json(out / MEMORY)
        if record.get("plan") != _digest(planned):
            return None
        sets = set(record["unknown"]), set(record["at_most"])
        return cls(planned, record["seconds"], *sets, record["omitted"])

    def left(self, position: int) -> str:
        """Time expected from this run on, as text."""
        pace = self._taken / self._expected if self._expected else 1.0
        return duration(pace * sum(self.seconds[position:]))


def _digest(planned: Sequence[Planned]) -> str:
    return hashlib.sha256(repr([run.config for run in planned]).encode()).hexdigest()[:16]


def forecast_suite(config: SuiteConfig, planned: Sequence[Planned]) -> SuiteForecast:
    """Measures a run of each kind and adds up the plan."""
    print(f"rote: timing a few steps and evaluations of {len(planned)} runs", file=sys.stderr)
    forecaster = Forecaster(same_process=True)
    made: set = set()
    result = SuiteForecast(planned, [])
    last = time.monotonic()
    for position, run in enumerate(planned):
        if time.monotonic() - last > LINE_SECONDS:
            print(f"rote: {position} of {len(planned)}", file=sys.stderr)
            last = time.monotonic()
        # What stands before an examination in the plan is made when its turn comes.
        expected = forecaster.forecast(run.config, made=made)
        made.add(run.config.resolved())
        result.seconds.append(expected.seconds)
        if expected.at_most:
            result.at_most.add(position)
        if any(part.seconds is None for part in expected.parts):
            result.unknown.add(position)
    if config.root is None:
        result.omitted = f"left out: all runs on {config.data}, whose folder --root was not given"
    return result
