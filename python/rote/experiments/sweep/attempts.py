"""attempts.jsonl: one line for every attempt of a run that ended, written by the one process that holds the sweep."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from rote.experiments.workers import FAILURES, Outcome
from rote.runs import CorruptRunFile

ATTEMPTS = "attempts.jsonl"


class Attempts:
    """The record of a sweep's attempts.

    Args:
        folder: the sweep folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / ATTEMPTS
        self._mend()
        self.lines = read_attempts(folder)

    def failures(self, config_hash: str) -> int:
        """How often a run has failed so far, over all calls."""
        return Counter(line["config_hash"] for line in self.lines if line["state"] in FAILURES)[config_hash]

    def last(self, config_hash: str) -> dict[str, Any] | None:
        """The newest attempt of a run."""
        return next((line for line in reversed(self.lines) if line["config_hash"] == config_hash), None)

    def add(self, run_id: int, config_hash: str, outcome: Outcome) -> None:
        """Appends one, on the disk before this returns."""
        line = {
            "run_id": run_id,
            "config_hash": config_hash,
            "state": outcome.state,
            "seconds": round(outcome.seconds, 3),
            "message": outcome.message,
        }
        with open(self.path, "ab", buffering=0) as file:
            file.write((json.dumps(line, ensure_ascii=False) + "\n").encode())
            os.fsync(file.fileno())
        self.lines.append(line)

    def _mend(self) -> None:
        """Cuts off a last line that a killed process left torn."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(self.path, len(whole))


def read_attempts(folder: Path) -> list[dict[str, Any]]:
    """The attempts so far, oldest first; a torn last line is left out.

    Raises:
        CorruptRunFile: any other line is not JSON.
    """
    path = Path(folder) / ATTEMPTS
    if not path.exists():
        return []
    lines = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], start=1):
        try:
            lines.append(json.loads(line))
        except ValueError as error:
            raise CorruptRunFile(f"{path}, line {number} is not an attempt: {error}") from None
    return lines
