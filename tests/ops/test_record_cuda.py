"""rote::record on a CUDA device: the CPU's bits, nothing dereferenced that is out of range, nothing that waits."""

from __future__ import annotations

import pytest
import torch

from rote.ops.record import record, record_tensors

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def batch(rows, classes, examples, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator) * 5
    logits[0, 0], logits[1, 1], logits[2] = float("nan"), float("inf"), -float("inf")
    logits[3:6] = logits[3:6].round()
    logits[6, ::2] = -float("inf")
    labels = torch.randint(0, classes, (rows,), generator=generator)
    return logits.to(dtype), labels, torch.randint(0, examples, (rows,), generator=generator)


def assert_same(state, on_device):
    for a, b in zip(state[:4], on_device[:4], strict=True):
        assert a.numpy().tobytes() == b.cpu().numpy().tobytes()
    assert (on_device.chain == -1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("classes", [2, 10, 1000])
@pytest.mark.parametrize("examples", [1, 40, 5000])
def test_same_bits_as_the_cpu(dtype, classes, examples):
    state = record_tensors(examples, "cpu", num_classes=classes)
    on_device = record_tensors(examples, "cuda", num_classes=classes)
    for seed in range(3):
        given = batch(300, classes, examples, dtype, seed)
        record(*given, state)
        record(*(tensor.cuda() for tensor in given), on_device)
    assert_same(state, on_device)


def test_bad_rows_are_left_out_and_named_on_request(monkeypatch):
    logits, labels, ids = batch(64, 10, 50, torch.float32)
    state, on_device = record_tensors(50, "cpu", num_classes=10), record_tensors(50, "cuda", num_classes=10)
    good = torch.ones(64, dtype=torch.bool)
    good[[3, 9, 20, 63]] = False
    record(logits[good], labels[good], ids[good], state)
    ids[3], ids[9], labels[20], labels[63] = -1, 1 << 40, 10, -5
    given = [tensor.cuda() for tensor in (logits, labels, ids)]
    record(*given, on_device)
    assert_same(state, on_device)
    monkeypatch.setenv("ROTE_CHECK", "1")
    with pytest.raises(ValueError, match="ids: wanted ids"):
        record(*given, on_device)


def test_captures_into_a_cuda_graph():
    given = [tensor.cuda() for tensor in batch(128, 10, 100, torch.bfloat16)]
    state, captured = record_tensors(100, "cuda"), record_tensors(100, "cuda")
    for _ in range(4):
        record(*given, state)
    record(*given, captured)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        record(*given, captured)
    for _ in range(3):
        graph.replay()
    torch.cuda.synchronize()
    for a, b in zip(state[:3], captured[:3], strict=True):
        assert a.cpu().numpy().tobytes() == b.cpu().numpy().tobytes()


def test_nothing_waits():
    given = [tensor.cuda() for tensor in batch(128, 10, 100, torch.float32)]
    state = record_tensors(100, "cuda")
    record(*given, state)
    torch.cuda.set_sync_debug_mode("error")
    try:
        record(*given, state)
    finally:
        torch.cuda.set_sync_debug_mode("default")
