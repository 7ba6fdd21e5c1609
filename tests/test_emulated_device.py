"""The tests of a second device on the emulated one, in a process that has taken no gradient yet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from .emulated_cuda import EMULATED

TESTS = Path(__file__).parent


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device, on which they run")
@pytest.mark.parametrize("part", ["metrics", "train", "experiments"])
def test_what_runs_on_the_cpu_runs_on_a_device(part):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", "-k", "emulated"]
    done = subprocess.run(
        [*command, str(TESTS / part / "test_devices.py")],
        env={**os.environ, EMULATED: "1"},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "a process of its own" not in done.stdout, done.stdout
