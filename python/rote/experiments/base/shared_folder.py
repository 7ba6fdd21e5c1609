"""One run folder for several processes: the first one writes it, the others work in copies that are thrown away.

Every process trains the same network and measures the same numbers, so that what a resumed run needs (checkpoint, log,
answers of the probes) can be read by each in its own copy, and no code of an experiment has to ask who it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rote.experiments.base.place import Place
from rote.runs import RunFolder
from rote.runs.folder import CHECKPOINTS
from rote.runs.load import NEWEST
from rote.runs.whole_files import LOCK, PARTIAL
from rote.train import DataParallel


@contextmanager
def shared_folder(place: Place, processes: DataParallel | None, *, fresh: bool) -> Iterator[RunFolder]:
    """The open folder of a run; every process calls this, and all leave together.

    Args:
        place: where the run belongs.
        processes: those that train together, or None for one that stands alone.
        fresh: start over.

    Yields:
        The run folder, or, in every process but the first, which keeps silent on standard error, a copy of it.
    """
    if processes is None:
        with place.open(fresh=fresh) as folder:
            yield folder
        return
    if processes.rank == 0:
        with place.open(fresh=fresh) as folder:
            processes.wait()  # the folder is what the run begins with
            processes.wait()  # all copies are made
            yield folder
    else:
        with TemporaryDirectory(prefix="rote-") as scratch, open(os.devnull, "w", encoding="utf-8") as nowhere:
            processes.wait()
            copy = replace(place, path=Path(scratch) / place.path.name)
            _copy_state(place.path, copy.path)
            processes.wait()
            with redirect_stderr(nowhere), copy.open(fresh=False) as folder:
                yield folder
    processes.wait()  # the summary stands


def _copy_state(source: Path, target: Path) -> None:
    """Copies what a run goes on from: all but the kept weights of earlier epochs."""
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_file() and entry.name != LOCK and not entry.name.endswith(PARTIAL):
            shutil.copy2(entry, target)
    newest = source / CHECKPOINTS / NEWEST
    if newest.exists():
        (target / CHECKPOINTS).mkdir()
        shutil.copy2(newest, target / CHECKPOINTS)
