"""The CUDA paths of rote::knn_search on a device: the CPU's bits, CUDA graphs, and what the fp16 pass's bound rests on.

Without a device nothing here runs; csrc/tests/test_knn_cuda_*.cpp test the same arithmetic, and the kernels themselves
under an emulator, on any machine.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from rote import _native
from rote.ops import knn as ops

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

METRICS = tuple(ops.METRIC_CODES)
PATHS = ("simple", "sm80", "sm90")


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    if request.param == "sm90" and torch.cuda.get_device_capability() != (9, 0):
        pytest.skip("sm90 needs compute capability 9.0")
    monkeypatch.setenv("ROTE_KNN_PATH", request.param)
    return request.param


@pytest.fixture(params=PATHS[1:])
def matrix_path(request):
    if request.param == "sm90" and torch.cuda.get_device_capability() != (9, 0):
        pytest.skip("sm90 needs compute capability 9.0")
    return request.param


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def search(queries, references, k, metric, path, **options):
    """Distances and indices as CPU tensors, and the device's statistics."""
    queries, references = queries.cuda(), references.cuda()
    outputs = ops._allocate(queries, k)
    stats = torch.zeros(len(ops.CUDA_STATS), dtype=torch.int64, device="cuda")
    options = {name: value.cuda() for name, value in options.items()}
    ops.search_cuda(queries, references, k, metric, outputs, path=path, stats=stats, **options)
    return [tensor.cpu() for tensor in outputs], dict(zip(ops.CUDA_STATS, stats.tolist(), strict=True))


def assert_same_bits(got, wanted):
    assert torch.equal(got[1].cpu(), wanted[1].cpu())
    kind = torch.int32 if wanted[0].dtype == torch.float32 else torch.int64
    assert torch.equal(got[0].cpu().view(kind), wanted[0].cpu().view(kind))


def assert_cpu_bits(queries, references, k, metric, path, **options):
    got, stats = search(queries, references, k, metric, path, **options)
    assert_same_bits(got, ops.knn_search(queries, references, k, metric, **options))
    return stats


def restrictions(rows: int, count: int) -> dict[str, torch.Tensor]:
    return {
        "exclude": torch.arange(rows),
        "query_groups": torch.arange(rows) // 5,
        "reference_groups": torch.arange(count) // 5,
        "mask": torch.arange(count) % 7 != 0,
    }


# The CPU's bits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
@pytest.mark.parametrize(
    ("rows", "count", "dim", "k"),
    [(1, 1, 1, 1), (70, 3000, 33, 10), (3, 700, 5, 700), (129, 257, 64, 3), (300, 20000, 200, 20), (9, 9000, 8, 2000)],
)
def test_every_path(path, metric, dtype, rows, count, dim, k):
    queries, references = (normal(1, rows, dim) + 1).to(dtype), (normal(2, count, dim) + 1).to(dtype)
    if rows > 1:
        references[count // 2] = float("nan")
        queries[1, dim // 2] = float("inf")
    assert_cpu_bits(queries, references, k, metric, path)
    assert_cpu_bits(queries, references, k, metric, path, **restrictions(rows, count))


@pytest.mark.parametrize("dim", [1, 63, 65, 512, 513, 704, 705, 2048, 4100])
def test_depths(path, dim):
    queries, references = normal(3, 140, dim).float(), normal(4, 1500, dim).float()
    for metric in METRICS:
        assert_cpu_bits(queries, references, 12, metric, path)


def test_strides_and_odd_addresses(path):
    wide = normal(5, 900, 70).half()
    for view in (wide[:, 1:42], wide[::2, 3:], wide.T.contiguous().T):
        assert_cpu_bits(view[:99], view, 8, "l2", path)


def test_k_beyond_the_certified_search(path):
    assert_cpu_bits(normal(6, 4, 6).float(), normal(7, 9000, 6).float(), 5000, "l2", path)


def hostile_data():
    base = normal(8, 5000, 32)
    yield "duplicates", base[:9], base[:4].repeat(1250, 1)
    yield "all equal", base[:9], torch.ones_like(base)
    labels = torch.arange(5000) % 10
    yield "collapsed", base[labels[:40]] + 0.003 * base[:40], base[labels] + 0.003 * base
    yield "one-hot", torch.eye(32)[:9], torch.eye(32).repeat(100, 1)
    yield "lognormal", base[:40], base * torch.exp(3 * normal(9, 5000, 1))
    yield "without a bound", base[:40], torch.cat([base[:4000], base[4000:4010] * 1e25])
    yield "too many without a bound", base[:40], torch.cat([base[:4000], base[4000:] * 1e25])
    yield "denormals", base[:40] * 1e-41, base * 1e-41
    yield "near overflow", base[:40] * 1e37, base * 1e37
    yield "common mean", base[:40] + 1000, base + 1000
    yield "zeros", torch.cat([base[:8], torch.zeros(2, 32)]), torch.cat([base, torch.zeros(30, 32)])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("name", "queries", "references"), hostile_data(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_hostile_data(path, metric, name, queries, references):
    stats = assert_cpu_bits(queries.float(), references.float(), 10, metric, path)
    assert stats["rows_float16"] + stats["rows_float64"] == len(queries)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e160, 1e-160])
def test_extreme_float64(path, scale):
    for metric in METRICS:
        assert_cpu_bits(normal(10, 9, 7) * scale, normal(11, 1500, 7) * scale, 6, metric, path)


def test_keys_are_the_cpus(path):
    queries, references = normal(12, 50, 40), normal(13, 3000, 40)
    for metric in METRICS:
        got = torch.ops.rote.knn_search_keys(queries.cuda(), references.cuda(), 9, metric)
        assert_same_bits(got, torch.ops.rote.knn_search_keys(queries, references, 9, metric))


def test_ordinary_rows_are_settled_by_the_pass(matrix_path):
    references = normal(14, 30000, 128).float()
    queries = references[:2000] + 0.1
    for metric in METRICS:
        stats = assert_cpu_bits(queries, references, 20, metric, matrix_path)
        assert stats["rows_float16"] == 2000
        assert stats["exact_keys"] < 2000 * 60


# How it runs ----------------------------------------------------------------------------------------------------------


def test_no_synchronization(path):
    x = normal(15, 3000, 64).float().cuda()
    ops.knn_search(x, x, 5)
    torch.cuda.synchronize()
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        ops.knn_search(x, x, 5)
    finally:
        torch.cuda.set_sync_debug_mode(before)
    # The host is far ahead of the device: a spin of a second does not hold the call up.
    torch.cuda._sleep(2_000_000_000)
    waiting = torch.cuda.Event()
    waiting.record()
    ops.knn_search(x, x, 5)
    assert not waiting.query()


def test_runs_on_the_current_stream(path):
    x = normal(16, 4000, 64).float().cuda()
    wanted = ops.knn_search(x, x, 5)
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(100_000_000)
        late = x * 2 - x  # ready only after the sleep
        got = ops.knn_search(late, late, 5)
    stream.synchronize()
    assert_same_bits(got, wanted)


def test_cuda_graph(path):
    x = normal(17, 3000, 48).float().cuda()
    y = x.clone()
    other = normal(18, 3000, 48).float().cuda()
    other[:700] = other[0]  # rows that leave for the exact scan, which a graph must hold too
    ops.knn_search(y, y, 5)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = ops.knn_search(y, y, 5)
    for data in (x, other, x):
        y.copy_(data)
        graph.replay()
        torch.cuda.synchronize()
        assert_same_bits(got, ops.knn_search(data.cpu(), data.cpu(), 5))


def test_first_call_in_a_fresh_process(path):
    program = (
        "import torch; from rote.ops.knn import knn_search;"
        "x = torch.randn(700, 33, generator=torch.Generator().manual_seed(0));"
        "d, i = knn_search(x[:90].cuda(), x.cuda(), 9, 'cosine');"
        "e, j = knn_search(x[:90], x, 9, 'cosine');"
        "assert torch.equal(i.cpu(), j) and torch.equal(d.cpu(), e)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_same_bits_on_every_run(path):
    x = normal(19, 20000, 32).bfloat16().cuda()
    first = ops.knn_search(x[:3000], x, 15, "cosine")
    for _ in range(5):
        assert_same_bits(ops.knn_search(x[:3000], x, 15, "cosine"), first)


def test_large_offsets(matrix_path):
    """Elements beyond 2^31: a row's offset needs 64 bits."""
    rows, dim = 70000, 32768
    if torch.cuda.get_device_properties(0).total_memory < 24 << 30:
        pytest.skip("needs 24 GB of device memory")
    x = torch.zeros(rows, dim, dtype=torch.float16, device="cuda")
    x[torch.arange(rows), torch.arange(rows) % dim] = 1
    x[-1, :5] = 2
    outputs = ops._allocate(x[-1:], 1)
    ops.search_cuda(x[-1:], x, 1, "l2", outputs, path=matrix_path)
    assert outputs[1].tolist() == [[rows - 1]]
    assert outputs[0].tolist() == [[0.0]]


@pytest.mark.skipif(not torch.cuda.is_available() or torch.cuda.get_device_capability() == (9, 0), reason="has sm90")
def test_a_device_without_wgmma_says_so():
    x = torch.zeros(3, 4, device="cuda")
    with pytest.raises(RuntimeError, match="ROTE_KNN_PATH=sm90"):
        ops.search_cuda(x, x, 1, "l2", ops._allocate(x, 1), path="sm90")


# What the bound rests on ----------------------------------------------------------------------------------------------


def products(queries: torch.Tensor, references: torch.Tensor, path: str) -> torch.Tensor:
    """The pass's own sums, float32 [128, 256]."""
    queries, references = queries.cuda().contiguous(), references.cuda().contiguous()
    out = torch.full((128, 256), float("nan"), device="cuda")
    workspace = torch.empty(_native.knn_products_workspace_bytes(), dtype=torch.uint8, device="cuda")
    _native.knn_products(
        queries.data_ptr(),
        references.data_ptr(),
        queries.shape[1],
        out.data_ptr(),
        workspace.data_ptr(),
        torch.cuda.current_stream().cuda_stream,
        path,
    )
    return out.cpu()


def test_products_lie_where_they_belong(matrix_path):
    for depth in (64, 128, 512, 1024):
        queries = torch.randint(-4, 5, (128, depth), generator=generator(20)).half()
        references = torch.randint(-4, 5, (256, depth), generator=generator(21)).half()
        assert torch.equal(
            products(queries, references, matrix_path).double(), queries.double() @ references.double().T
        )


def adversarial_products(name: str, depth: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows whose sums lose as much as they can: fp16, largest element below 2^15."""
    queries, references = normal(22, 128, depth), normal(23, 256, depth)
    column = torch.arange(depth)
    if name == "large first":  # every later product falls below the running sum's last place
        return (queries * 0.01 + 1e4 * (column < 16)).half(), (references.abs() * 0.01 + 1e4 * (column < 16)).half()
    if name == "one sign":  # a cut-off always errs to the same side
        return (queries.abs() + 1).half(), (references.abs() + 1).half()
    if name == "alternating":
        sign = 1 - 2 * (column // 16 % 2)
        return (sign * 100 + queries * 1e-2).half(), (100 + references * 1e-2).half()
    if name == "within a step":
        sign = 1 - 2 * (column % 2)
        return (sign * 100 + queries * 1e-2).half(), (100 + references * 1e-2).half()
    if name == "dynamic range":
        return (queries * torch.exp2(-(column % 20).double())).half(), (
            references * torch.exp2((column % 14).double())
        ).half()
    if name == "last bits":  # odd significands: products need all of their 22 bits
        return ((queries * 512).round() * 2 + 1).half(), ((references * 512).round() * 2 + 1).half()
    return queries.half(), references.half()


@pytest.mark.parametrize("depth", [64, 512, 2048, 8192])
@pytest.mark.parametrize(
    "name", ["normal", "large first", "one sign", "alternating", "within a step", "dynamic range", "last bits"]
)
def test_accumulation_stays_inside_half_of_its_bound(matrix_path, name, depth, record_property):
    """docs/knn-cuda.md assumes the bound; a device that used more than half of it would leave no safety."""
    queries, references = adversarial_products(name, depth)
    wide_queries, wide_references = queries.double(), references.double()
    exact = wide_queries @ wide_references.T  # 22-bit products: float64 errs by 2^-50 of the norms at most
    lengths = wide_queries.norm(dim=1)[:, None] * wide_references.norm(dim=1)[None]
    error = ((products(queries, references, matrix_path).double() - exact).abs() / lengths).max().item()
    record_property("error_over_norms_in_float32_ulps", error * 2**23)
    assert error <= 0.5 * _native.knn_accumulation_bound(depth)
