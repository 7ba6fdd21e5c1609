"""Packages that an extra of Rote brings: where one is missing the error names the extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def wanted_for(what: str, extra: str = "lab") -> Iterator[None]:
    """Imports inside say what they are wanted for, and what installs them, where they are not there.

    Args:
        what: cannot be done without the package.
        extra: of Rote that installs it.

    Raises:
        ModuleNotFoundError: an import inside failed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "rote").partition(".")[0] == "rote" or "pip install" in str(error):
            raise
        raise ModuleNotFoundError(
            f"{what} wants {error.name}, which is not installed: pip install 'rote[{extra}]'", name=error.name
        ) from None
