"""What can be wrong with a run folder, each with a message a user can act on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self


class RunError(Exception):
    """Base class of everything that can be wrong with a run folder."""


class RunLocked(RunError):
    """Another process is writing to this run folder."""


class RunMismatch(RunError):
    """The folder holds a run of another config."""

    @classmethod
    def between(cls, path: Path, differences: Sequence[str]) -> Self:
        """The error for a folder whose run differs, each difference as `RunIdentity.differences` words it."""
        return cls(
            f"{path} holds another run ({'; '.join(differences)}); choose another --name or --out, or start over "
            "with --fresh"
        )


class RunIncomplete(RunError):
    """The folder lacks a file that only a finished (or a started) run has."""


class CorruptRunFile(RunError):
    """A file of the folder cannot be what Rote wrote there."""
