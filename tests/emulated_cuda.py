"""A CUDA device in name, for machines without one: tensors that say "cuda:0", whose numbers the CPU computes.

Such a tensor is refused where a real one would be: beside tensors of the CPU in one operation, as the index of a tensor
on the CPU, as a numpy array, with a generator of the CPU. What waits for the device is counted. So mixed-up devices and
hidden waits fail here, in whole trainings too (`rote::` operators run their CPU kernels). Kernels, streams, captured
graphs, memory and TF32 are none of this: they need the device.

torch lets Python make a backend of its own of the device type PrivateUse1; its tensors are wrappers around those of the
CPU. It is registered for a whole process, before the first gradient is taken there, and torch's own checks of operators
do not bear it: its tests run in a process of their own (tests/test_emulated_device.py), never on a real one.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

aten = torch.ops.aten
CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
_NAME = "emulated"
EMULATED = "ROTE_EMULATED_DEVICE"
"""Of the environment of that process."""
# Indices may lie on the CPU whatever they index; copies go between devices.
_INDEXING = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
_COPIES = (aten.copy_.default, aten._to_copy.default)
_WAITS = (aten._local_scalar_dense.default, aten.nonzero.default, aten.equal.default, aten.masked_select.default)


class MixedDevices(RuntimeError):
    """Tensors of the CPU and of the device in one operation."""


class CudaTensor(torch.Tensor):
    """A tensor on the device; `values` is where its numbers are."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, values: torch.Tensor) -> CudaTensor:
        return torch.Tensor._make_wrapper_subclass(
            cls,
            values.size(),
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            layout=values.layout,
            device=torch.device(_NAME, 0),
        )

    def __init__(self, values: torch.Tensor) -> None:
        self.values_on_cpu = values

    def __repr__(self, **_: Any) -> str:
        return f"cuda({self.values_on_cpu!r})"

    @property
    def device(self) -> torch.device:
        return CUDA

    @property
    def is_cuda(self) -> bool:
        return True

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if Operations.active is None:
            raise RuntimeError("a tensor of the emulated device outlived the emulation")
        return Operations.active.__torch_dispatch__(func, types, args, kwargs)


class Names(TorchFunctionMode):
    """Hands "cuda" on as the emulated device, whatever says it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.device or func is torch.Tensor.__deepcopy__:  # whose second argument grows with the copy
            return func(*args, **kwargs)
        if func is torch.Tensor.tolist and isinstance(args[0], CudaTensor):
            return args[0].to(CPU).tolist()
        if func is torch.Tensor.numpy and isinstance(args[0], CudaTensor):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func == torch.Tensor.data.__set__ and all(isinstance(tensor, CudaTensor) for tensor in args):
            args[0].values_on_cpu = args[1].values_on_cpu  # the wrapper's own memory is exchanged as well
        if func is torch.Tensor.cuda:
            return args[0].to(_NAME)
        args, kwargs = pytree.tree_map(_translated, (args, kwargs))
        return func(*args, **kwargs)


def _translated(value: Any) -> Any:
    named = isinstance(value, str) and value.partition(":")[0] == "cuda"
    return torch.device(_NAME, 0) if named or (isinstance(value, torch.device) and value.type == "cuda") else value


class Operations(TorchDispatchMode):
    """Runs operations of tensors on the device, and holds them to its rules.

    Attributes:
        waits: how often the host waited for a number, by operation.
        crossings: how often numbers went from one device to the other, by operation.
    """

    active: Operations | None = None

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()
        self.crossings: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        tensors = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        own = [tensor for tensor in tensors if isinstance(tensor, CudaTensor)]
        wanted = kwargs.get("device")
        if func is aten.copy_.default:
            lands = isinstance(args[0], CudaTensor)
        else:
            lands = bool(own) if wanted is None else wanted.type in (_NAME, "cuda")
        if not own and not lands:
            return func(*args, **kwargs)
        _check(func, args, kwargs, tensors, own)
        self._count(func, args, lands, len(own))
        if lands and wanted is not None:
            kwargs["device"] = CPU
        if "pin_memory" in kwargs:
            kwargs["pin_memory"] = False
        plain_args, plain_kwargs = pytree.tree_map_only(CudaTensor, lambda t: t.values_on_cpu, (args, kwargs))
        out = func(*plain_args, **plain_kwargs)
        if not lands:
            return args[0] if func is aten.copy_.default else out
        out = pytree.tree_map_only(torch.Tensor, CudaTensor, out)
        return return_and_correct_aliasing(func, args, kwargs, out)

    def _count(self, func: Any, args: tuple, lands: bool, own: int) -> None:
        if func in _COPIES and (own == 0 or not lands or (func is aten.copy_.default and own == 1)):
            self.crossings[str(func)] += 1
        truth = func in _INDEXING and any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1])
        if func in _WAITS or truth or (func in _COPIES and not lands):
            self.waits[str(func)] += 1


def _check(func: Any, args: tuple, kwargs: dict[str, Any], tensors: list, own: list) -> None:
    generator = kwargs.get("generator")
    if generator is not None and generator.device == CPU:
        raise MixedDevices(f"{func}: a generator of the CPU for a tensor on the device")
    if func in _COPIES:
        return
    if func in _INDEXING:
        if not isinstance(args[0], CudaTensor):
            raise MixedDevices(f"{func}: a tensor on the CPU is indexed by one on the device")
        tensors = [args[0], *args[2:3]]
    # Numbers, tensors without dimensions, go along with tensors of any device.
    stray = [tuple(t.shape) for t in tensors if not isinstance(t, CudaTensor) and t.dim() > 0]
    if stray:
        raise MixedDevices(f"{func}: tensors on the device, and of shape {stray} on the CPU")
    if func._schema.is_mutable and args and isinstance(args[0], torch.Tensor) and not isinstance(args[0], CudaTensor):
        raise MixedDevices(f"{func}: a tensor on the CPU is changed by one on the device")


class _Event:
    """Everything is done at once: nothing is ever waited for."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.device = CUDA

    def record(self, _: Any = None) -> None: ...

    def synchronize(self) -> None: ...

    def wait_event(self, _: Any) -> None: ...

    def wait_stream(self, _: Any) -> None: ...

    def record_event(self, _: Any = None) -> _Event:
        return self


def _run_as_if_captured(steps: Any) -> None:
    """An update, operator by operator, that after the warm-up does nothing which a graph cannot hold."""
    from rote.train import graph

    steps._warm += 1
    before = Counter(Operations.active.waits), Counter(Operations.active.crossings)
    graph.DeviceSteps.run(steps)
    more = [
        now - then for now, then in zip((Operations.active.waits, Operations.active.crossings), before, strict=True)
    ]
    if steps._warm > graph._WARM_UP and any(more):
        raise RuntimeError(f"an update that is to be captured waits for the device or goes to it and fro: {more}")


@contextlib.contextmanager
def emulated(monkeypatch: Any) -> Iterator[Operations]:
    """Inside the block "cuda" is the emulated device.

    Args:
        monkeypatch: of pytest; what it changes is changed back at the test's end.
    """
    if not hasattr(torch, _NAME):
        from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

        _setup_privateuseone_for_python_backend(_NAME)
    from rote.train.graph import GraphSteps

    nothing = contextlib.nullcontext()
    stubs = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_rng_state": lambda device=None: torch.get_rng_state(),
        "set_rng_state": lambda state, device=None: None,
        "get_device_properties": lambda device=None: SimpleNamespace(
            name="emulated", major=0, minor=0, total_memory=1 << 34, multi_processor_count=1
        ),
        "synchronize": lambda device=None: None,
        "Stream": _Event,
        "Event": _Event,
        "current_stream": _Event,
        "stream": lambda stream: nothing,
        "device": lambda device: nothing,
    }
    for name, stub in stubs.items():
        monkeypatch.setattr(torch.cuda, name, stub)
    monkeypatch.setattr(torch.Tensor, "is_pinned", lambda tensor, *_: True)
    monkeypatch.setattr(GraphSteps, "run", _run_as_if_captured)
    # Modules keep their parameters, as they do where a real device takes their memory.
    swaps, lifts = torch.__future__.get_swap_module_params_on_conversion(), torch._C._only_lift_cpu_tensors()
    torch.__future__.set_swap_module_params_on_conversion(True)
    torch._C._set_only_lift_cpu_tensors(True)
    Operations.active = operations = Operations()
    try:
        with Names(), operations:
            yield operations
    finally:
        Operations.active = None
        torch._C._set_only_lift_cpu_tensors(lifts)
        torch.__future__.set_swap_module_params_on_conversion(swaps)
