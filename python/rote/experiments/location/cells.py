"""Pieces of an examination, each a file of its rows: what is measured once is never measured again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rote.experiments.base.stopping import Stopped, StopRequest
from rote.experiments.base.training_cell import result_file
from rote.runs import RunFolder
from rote.runs.folder import read_json
from rote.runs.whole_files import write_json

Row = Mapping[str, Any]


class Cells:
    """The pieces of one run.

    Args:
        folder: the open run folder; a piece is cells/<name>.json.
        stop: whether Ctrl-C was pressed; asked before every piece.
        total: how many pieces the run has, for the messages.

    Attributes:
        seconds: what all pieces took, those of earlier calls too.
    """

    def __init__(self, folder: RunFolder, stop: StopRequest, total: int) -> None:
        self.folder = folder
        self.stop = stop
        self.total = total
        self.done = 0
        self.seconds = 0.0

    def rows(self, name: str, make: Callable[[], Sequence[Row]]) -> list[dict[str, Any]]:
        """The rows of a piece, measured where they are not there.

        Args:
            name: of the piece, a file name.
            make: measures it.

        Raises:
            Stopped: Ctrl-C was pressed.
        """
        path = result_file(self.folder, name)
        if not path.exists():
            self.check()
            print(f"rote: location, {name} ({self.done + 1} of {self.total})", file=sys.stderr)
            begin = time.monotonic()
            rows = make()
            write_json(path, {"rows": rows, "seconds": round(time.monotonic() - begin, 3)})
        stored = read_json(path)
        self.ends(stored["seconds"])
        return stored["rows"]

    def ends(self, seconds: float) -> None:
        """Counts a piece as done."""
        self.done += 1
        self.seconds += seconds

    def check(self) -> None:
        """Raises `Stopped` where Ctrl-C was pressed."""
        if self.stop.made:
            raise Stopped(self.folder.path, self.done, self.total, "piece")
