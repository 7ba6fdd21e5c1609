"""A script run by two processes at once, as ranks of torch.distributed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch


def saved_by_two_ranks(script: str | Path, folder: Path, *arguments: str, ends: int = 0) -> list[dict]:
    """What both processes saved as `rank<n>.pt`, by rank; nothing where they are to end with another code than 0.

    Args:
        script: run as `script rank folder arguments...`.
        folder: where they save.
        ends: the code that both must end with.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(folder), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        for rank in range(2)
    ]
    try:
        output = [process.communicate(timeout=200)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()  # where the other one failed or hung; nothing otherwise
    assert [process.returncode for process in processes] == [ends, ends], "\n".join(output)
    return [] if ends else [torch.load(folder / f"rank{rank}.pt", weights_only=False) for rank in range(2)]
