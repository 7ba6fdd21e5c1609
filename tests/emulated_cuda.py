"""A CUDA device in name: real numbers, computed by the CPU, in tensors that say "cuda:0" and keep a device's rules."""

from __future__ import annotations

import threading
from collections import Counter

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

aten = torch.ops.aten
CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")
_INDEX = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default, aten._unsafe_index.Tensor}
_COPIES = {aten.copy_.default, aten._to_copy.default, aten.copy.default}
_WAITS = {aten._local_scalar_dense.default, aten.nonzero.default, aten.equal.default, aten.masked_select.default}


def setup():
    if not hasattr(torch, "emulated"):
        _setup_privateuseone_for_python_backend("emulated")


class MixedDevices(RuntimeError):
    """Tensors of several devices in one operation."""


class OnCuda(torch.Tensor):
    @staticmethod
    def __new__(cls, values):
        return torch.Tensor._make_wrapper_subclass(
            cls, values.size(), strides=values.stride(), storage_offset=values.storage_offset(),
            device=torch.device("emulated", 0), layout=values.layout, dtype=values.dtype)

    def __init__(self, values):
        self.values_ = values

    def __repr__(self, **_):
        return f"OnCuda({self.values_!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @property
    def device(self):
        return CUDA

    @property
    def is_cuda(self):
        return True

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if Operations.active is None:
            raise RuntimeError("outside of the emulation")
        with Operations.active:
            return func(*args, **(kwargs or {}))


def _is_cuda(value):
    return (isinstance(value, str) and value.startswith("cuda")) or (isinstance(value, torch.device) and value.type == "cuda")


class Names(TorchFunctionMode):
    """Hands "cuda" on as the emulated device."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.device:
            return func(*args, **(kwargs or {}))
        args, kwargs = pytree.tree_map(lambda v: torch.device("emulated", 0) if _is_cuda(v) else v, (args, dict(kwargs or {})))
        if func is torch.Tensor.tolist:
            return torch.Tensor.tolist(args[0].cpu())
        if func is torch.Tensor.numpy and isinstance(args[0], OnCuda):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func is torch.Tensor.cuda:
            return args[0].to("emulated")
        return func(*args, **kwargs)


class Operations(TorchDispatchMode):
    active = None

    def __init__(self):
        super().__init__()
        self.waits = Counter()
        self.crossings = Counter()
        self.local = threading.local()
        self._stacks = threading.local()

    def __enter__(self):
        self._stacks.v = getattr(self._stacks, 'v', [])
        self._stacks.v.append((Operations.active, torch._C._only_lift_cpu_tensors()))
        Operations.active = self
        torch._C._set_only_lift_cpu_tensors(True)
        return super().__enter__()

    def __exit__(self, *error):
        before, lift = self._stacks.v.pop()
        torch._C._set_only_lift_cpu_tensors(lift)
        return super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        tensors = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        mine = [t for t in tensors if isinstance(t, OnCuda)]
        target = kwargs.get("device")
        self.check(func, args, kwargs, tensors, mine, target)
        on_cuda = bool(mine) if target is None else target.type in ("emulated", "cuda")
        if func is aten.copy_.default:
            on_cuda = isinstance(args[0], OnCuda)
        if not mine and not on_cuda:
            return func(*args, **kwargs)
        if target is not None and on_cuda:
            kwargs["device"] = CPU
        if kwargs.get("pin_memory"):
            kwargs["pin_memory"] = False
        if func in _WAITS or (func in _COPIES and mine and not on_cuda):
            self.waits[str(func)] += 1
        if func in _INDEX and mine and any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1]):
            self.waits["index by truth values"] += 1
        if func in _COPIES and bool(mine) != on_cuda or (func is aten.copy_.default and len(mine) == 1):
            self.crossings[str(func)] += 1
        a, k = pytree.tree_map_only(OnCuda, lambda t: t.values_, (args, kwargs))
        out = func(*a, **k)
        if not on_cuda:
            return out
        out = pytree.tree_map_only(torch.Tensor, OnCuda, out)
        return return_and_correct_aliasing(func, args, kwargs, out)

    @staticmethod
    def check(func, args, kwargs, tensors, mine, target):
        generator = kwargs.get("generator")
        if not mine and (target is None or target.type == "cpu"):
            return
        if generator is not None and generator.device.type == "cpu":
            raise MixedDevices(f"{func}: a generator of the CPU for a tensor on CUDA")
        if func in _COPIES:
            return
        if func in _INDEX:
            if not isinstance(args[0], OnCuda):
                raise MixedDevices(f"{func}: indices on CUDA into a tensor on the CPU")
            tensors = [args[0], *args[2:3]]
        stray = [t for t in tensors if not isinstance(t, OnCuda) and t.dim() > 0]
        if stray:
            raise MixedDevices(f"{func}: tensors on CUDA and on the CPU together, shapes {[tuple(t.shape) for t in tensors]}, CPU {[tuple(t.shape) for t in stray]}")
        first = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if func._schema.is_mutable and first is not None and not isinstance(first, OnCuda):
            raise MixedDevices(f"{func}: a result on the CPU of tensors on CUDA")
