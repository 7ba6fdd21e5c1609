"""Where a run happened: versions, git state, processor, device."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

PACKAGES = (
    "torch",
    "numpy",
    "scikit-learn",
    "pyarrow",
    "pillow",
    "nvidia-dali-cuda130",
    "nvidia-dali-cuda120",
    "tyro",
    "matplotlib",
    "safetensors",
)


def describe(device: str | torch.device = "cpu") -> dict[str, Any]:
    """The environment of a run, as config.json stores it."""
    return {
        "versions": versions(),
        "git": git_state(Path(__file__).parent),
        "device": describe_device(device),
        "platform": platform.platform(),
    }


def versions() -> dict[str, str]:
    """Rote's version, Python's, and those of the packages that are installed."""
    found = {"rote": rote_version(), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def rote_version() -> str:
    """The installed version, or "source" when the package runs from a checkout that was never installed."""
    try:
        return importlib.metadata.version("rote")
    except importlib.metadata.PackageNotFoundError:
        return "source"


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and cleanness of the checkout the package runs from; None when that is not Rote's own checkout."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()

    try:
        # An installed package may lie inside somebody else's repository, whose state says nothing about Rote.
        if "__init__.py" not in git("ls-files", "--", "__init__.py"):
            return None
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return None


def describe_device(device: str | torch.device) -> dict[str, Any]:
    """Name and size of the device a run computes on."""
    device = torch.device(device)
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return {
            "type": "cuda",
            "name": properties.name,
            "capability": f"{properties.major}.{properties.minor}",
            "memory_bytes": properties.total_memory,
            "cuda": torch.version.cuda,
        }
    return {
        "type": device.type,
        "name": processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def processor_name() -> str:
    """The processor's name as the system gives it."""
    if sys.platform == "linux":
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()
