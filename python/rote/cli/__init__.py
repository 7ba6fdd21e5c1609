"""The `rote` command: one module per subcommand, each with `SUMMARY` and `run(arguments) -> exit status`."""

from __future__ import annotations

from rote.cli.main import main

__all__ = ["main"]
