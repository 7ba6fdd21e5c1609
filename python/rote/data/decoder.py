"""Which program turns picture files into pixels: Pillow in threads, or NVIDIA DALI; chosen by name and recorded."""

from __future__ import annotations

import json
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rote.data.decoding import Sheet

NAMES = ("auto", "pillow", "dali")
#: What "auto" takes: the first of these that can be imported.
PREFERENCE = ("dali", "pillow")


class Decoder(ABC):
    """One way to decode files. `facts` says all that its pixels can depend on, in plain values for JSON."""

    facts: dict[str, Any]

    @property
    def key(self) -> str:
        """The facts as one line: two decoders with equal keys give equal pixels."""
        return json.dumps(self.facts, sort_keys=True)

    @abstractmethod
    def fill(self, sheet: Sheet) -> Iterator[int]:
        """Decodes every file of the sheet into its row; yields how many more are done, from time to time."""


def choose(name: str) -> Decoder:
    """The decoder of that name.

    Args:
        name: "pillow", "dali", or "auto": DALI where it can be imported, Pillow otherwise. DALI decodes on the GPU
            where torch sees one, and on the CPU elsewhere.

    Raises:
        ValueError: another name.
        ModuleNotFoundError: the package is not installed; the message names the extra that brings it.
    """
    if name not in NAMES:
        raise ValueError(f"decoder: wanted one of {', '.join(NAMES)}, got {name!r}")
    if name != "auto":
        return _BY_NAME[name]()
    *others, last = PREFERENCE
    for candidate in others:
        try:
            return _BY_NAME[candidate]()
        except ModuleNotFoundError:
            continue
        except ImportError as error:  # installed, yet it does not load here
            warnings.warn(f"decoder: {candidate} cannot be used, taking the next one ({error})", stacklevel=2)
    return _BY_NAME[last]()


def num_threads() -> int:
    """Threads that decode: one for each processor this process may use, 32 at most."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return min(32, len(affinity(0)) if affinity else os.cpu_count() or 1)


def _pillow() -> Decoder:
    from rote.data.pillow_decoder import PillowDecoder

    return PillowDecoder()


def _dali() -> Decoder:
    from rote.data.dali_decoder import DaliDecoder

    return DaliDecoder()


_BY_NAME = {"pillow": _pillow, "dali": _dali}
