"""The machine a number was taken on: it goes into every result file."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

import torch

from rote import _native

PEERS = (
    "faiss-cpu",
    "scikit-learn",
    "usearch",
    "jax",
    "kornia",
    "nvidia-dali-cuda130",
    "torchvision",
    "pillow",
    "albumentations",
    "opencv-python-headless",
    "triton-augment",
    "numpy",
)


def describe_machine() -> dict:
    """CPU, threads, GPU, versions and the commit, as a flat dict of strings and numbers."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "cpu": _cpu_name(),
        "threads": torch.get_num_threads(),
        "simd_level": _native.simd_level(),
        "gpu": gpu,
        "cuda_built": _native.build_info()["cuda"],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rote": _native.build_info()["version"],
        "commit": _commit(),
        "peers": {name: version for name in PEERS if (version := _version(name))},
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
