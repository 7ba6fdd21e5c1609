"""What is wrong with another tool's file."""

from __future__ import annotations


class ExchangeError(ValueError):
    """A file is not in the format it should have; the message begins with its path."""
