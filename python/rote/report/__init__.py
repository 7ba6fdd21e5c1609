"""The report: run folders in, one self-contained HTML page and its figures out.

Imported lazily, because experiments only need `rote.report.views` (numpy) and should not pay for matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rote.report.page import write_page
    from rote.report.reading import RunFolderError, read_run

__all__ = ["RunFolderError", "read_run", "write_page"]

_HOME = {"write_page": "page", "RunFolderError": "reading", "read_run": "reading"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
