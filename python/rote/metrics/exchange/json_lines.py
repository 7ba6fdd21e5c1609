"""JSON lines, and the names of examples in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rote.metrics.exchange.errors import ExchangeError
from rote.runs.whole_files import writing_whole


def checked_guid(guid: Sequence[Any] | None, count: int) -> list[Any]:
    """The names of `count` examples, their numbers by default.

    Raises:
        ValueError: not so many, one of them twice, or neither integers nor texts.
    """
    names = list(range(count)) if guid is None else [g.item() if hasattr(g, "item") else g for g in guid]
    if len(names) != count or len(set(names)) != count:
        raise ValueError(
            f"guid must be {count} names, each once; got {len(names)}, {len(set(names))} of them different"
        )
    if not all(isinstance(name, (int, str)) and not isinstance(name, bool) for name in names):
        raise ValueError("guid must be integers or texts")
    return names


def guids(names: Any) -> np.ndarray:
    """Names as read: int64 [N], or objects where not all are integers."""
    names = list(names)
    return np.array(names, dtype=np.int64 if all(isinstance(name, int) for name in names) else object)


def lines_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place in words, object) of every line that is not empty.

    Raises:
        ExchangeError: a line is no JSON object; the message says where.
    """
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
            except json.JSONDecodeError as error:
                raise ExchangeError(f"{path}, line {number}: not JSON: {error.msg}") from None
            if not isinstance(line, dict):
                raise ExchangeError(f"{path}, line {number}: wanted an object, got {type(line).__name__}")
            yield f"{path}, line {number}", line


def write_lines(path: Path, rows: Any) -> None:
    """Writes an object a line; the file appears whole."""
    with writing_whole(path) as aside, open(aside, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
