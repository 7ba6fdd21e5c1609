"""Data-parallel training over gloo: two processes do what one does with the same global batch."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from rote.metrics import read_dynamics
from rote.train.distributed import DataParallel, first_process, torchrun_processes
from rote.train.global_batch_norm import GlobalBatchNorm

PROGRAM = Path(__file__).with_name("processes.py")
CASES = ("batch norm", "sgd, cross-entropy", "mlp", "group norm, labels of views", "mixed", "resumed")


def run(folder: Path, count: int) -> list[dict]:
    """What `count` processes save, by rank."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(rank), str(count), str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        for rank in range(count)
    ]
    try:
        output = [process.communicate(timeout=200)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()  # where the other one failed or hung; nothing otherwise
    assert [process.returncode for process in processes] == [0] * count, "\n".join(output)
    saved = [torch.load(folder / f"rank{rank}of{count}.pt", weights_only=False) for rank in range(count)]
    return [found | {"folder": folder} for found in saved]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return run(tmp_path_factory.mktemp("alone"), 1)[0]


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    return run(tmp_path_factory.mktemp("together"), 2)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_the_network_of_one(alone, together, case):
    for rank in range(2):
        found = together[rank]["results"][case]
        assert found.keys() == alone["results"][case].keys()
        for name, value in alone["results"][case].items():
            torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}")


def test_float32_agrees_to_its_rounding(alone, together):
    for name, value in alone["results"]["float32"].items():
        torch.testing.assert_close(together[0]["results"]["float32"][name], value, rtol=2e-3, atol=2e-3)


def test_every_process_holds_the_same_bits(together):
    first, second = (found["results"] for found in together)
    for case in (*CASES, "float32"):
        for name, value in first[case].items():
            assert torch.equal(value, second[case][name]), (case, name)


def test_a_resumed_run_is_the_whole_one(together):
    results = together[0]["results"]
    for name, value in results["batch norm"].items():
        if name != "epochs":
            assert torch.equal(results["resumed"][name], value), name


def test_every_example_is_recorded_as_by_one_process(alone, together):
    for part in ("train", "evaluation"):
        for name, values in alone["scores"]["whole"][part].items():
            found = together[0]["scores"]["whole"][part][name]
            tolerance = {"rtol": 1e-6, "atol": 1e-6} if values.dtype.kind == "f" else {"rtol": 0}
            np.testing.assert_allclose(found, values, **tolerance, err_msg=name)
            for rank, way in itertools.product(range(2), ("whole", "stopped", "diverged")):
                again = together[rank]["scores"][way][part][name]
                np.testing.assert_array_equal(again, found, err_msg=f"{name}, {way} on rank {rank}")
    folder = together[0]["folder"]
    for phase, rows in (("train_pass", 24), ("eval_pass", 27)):
        table, wanted = (
            read_dynamics(folder / "whole", phase=phase),
            read_dynamics(alone["folder"] / "whole", phase=phase),
        )
        for name in ("epoch", "example_id", "presentations", "correct"):
            assert table[name].equals(wanted[name])
        np.testing.assert_allclose(table["loss"].to_numpy(), wanted["loss"].to_numpy(), rtol=1e-6, atol=1e-6)
        assert table.num_rows == 3 * rows
        for way in ("stopped", "diverged"):
            assert read_dynamics(folder / way, phase=phase).equals(table)


def test_what_is_refused(together):
    for rank in range(2):
        found = together[rank]["errors"]
        assert f"what rank {1 - rank} of 2 alone saw of an epoch, on rank {rank} of 2" in found["another's record"]
        assert found["odd batch"] == "batch_size must be a multiple of the 2 processes; got 9"
        assert found["compiled"] == "execution must be 'auto' or 'eager' with several processes; got 'compiled'"
        assert found["diverged"] == together[0]["errors"]["diverged"]
        assert together[rank]["results"]["any"].tolist() == [False, True]


class Halves:
    """Two processes played by one: the other's answers are known beforehand."""

    count = 2

    def __init__(self, other: torch.Tensor) -> None:
        self.other = other

    def gather(self, tensor):
        share = self.other.numel() // self.other.shape[1]
        mean = self.other.mean((0, 2, 3))
        squares = self.other.var((0, 2, 3), correction=0) * share
        return torch.stack((tensor, torch.stack((mean, squares))))

    def sum_(self, tensor):
        return tensor


def test_statistics_are_those_of_the_whole_batch():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 3, 4, 5, dtype=torch.float64, generator=generator) + 100
    layers = [nn.BatchNorm2d(3, momentum=0.3).double() for _ in range(2)]
    with torch.no_grad():
        for layer in layers:
            layer.weight.copy_(torch.tensor([0.5, 1.0, 2.0]))
            layer.bias.copy_(torch.tensor([-1.0, 0.0, 1.0]))
    whole = layers[0](x)
    with GlobalBatchNorm(Halves(x[3:])):
        half = layers[1](x[:3])
    torch.testing.assert_close(half, whole[:3], rtol=1e-10, atol=1e-10)
    for (name, value), other in zip(layers[0].named_buffers(), layers[1].buffers(), strict=True):
        torch.testing.assert_close(other, value, rtol=1e-12, atol=1e-12, msg=name)
    layers[1].eval()
    with GlobalBatchNorm(Halves(x[3:])):
        assert torch.equal(layers[1](x), layers[1](x))
        expected = torch.nn.functional.batch_norm(
            x, layers[1].running_mean, layers[1].running_var, layers[1].weight, layers[1].bias, eps=layers[1].eps
        )
        assert torch.equal(layers[1](x), expected)


class Alone:
    """A process that trains by itself."""

    count = 1

    def gather(self, tensor):
        return tensor.unsqueeze(0)

    def sum_(self, tensor):
        return tensor


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2, 3)])
def test_gradients_are_those_of_torch(affine, shape):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(shape, dtype=torch.float64, generator=generator, requires_grad=True)
    weights = torch.randn(2, 3, dtype=torch.float64, generator=generator).requires_grad_() if affine else (None, None)

    def normalized(x, weight=None, bias=None):
        with GlobalBatchNorm(Alone()):
            return nn.functional.batch_norm(x, None, None, weight, bias, training=True)

    inputs = (x, *weights) if affine else (x,)
    torch.testing.assert_close(normalized(*inputs), nn.functional.batch_norm(x, None, None, *weights, training=True))
    assert torch.autograd.gradcheck(normalized, inputs)
    with pytest.raises(ValueError, match="more than one value a channel"):
        normalized(x[:1, :, :1, :1] if len(shape) == 4 else x[:1])


def test_half_precision_keeps_its_dtype():
    x = torch.randn(8, 3, 2, 2).bfloat16().requires_grad_()
    layer = nn.BatchNorm2d(3)
    with GlobalBatchNorm(Alone()):
        out = layer(x)
    out.float().square().sum().backward()
    assert out.dtype == x.grad.dtype == torch.bfloat16
    assert layer.weight.grad.dtype == torch.float32
    torch.testing.assert_close(out, nn.BatchNorm2d(3)(x), rtol=1e-2, atol=1e-2)


def test_one_process_needs_no_group(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert torchrun_processes(torch.device("cpu")) is None
    assert first_process()
    with pytest.raises(RuntimeError, match=r"torch\.distributed must be initialized"):
        DataParallel()
