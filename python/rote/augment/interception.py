"""Whether somebody watches or replaces operators on this thread, and tensors may have no values to look at."""

from __future__ import annotations

import torch

__all__ = ["operators_are_plain", "tensors_are_plain"]

# Looked up once: each dot costs as much as a test, and a call on one image takes microseconds.
_compiling = torch.compiler.is_compiling
_included_keys = torch._C._dispatch_tls_local_include_set
_function_modes = torch._C._len_torch_function_stack
_profiling = torch.autograd._profiler_enabled
#: The dispatch keys a thread adds to those of its tensors when nothing is active. Dispatch modes (fake tensors, logs,
#: make_fx), functorch's transforms, functionalization, tracing and the Python dispatcher add a key of their own.
_ORDINARY_KEYS = sum(
    torch._C.DispatchKeySet(key).raw_repr()
    for key in (torch._C.DispatchKey.BackendSelect, torch._C.DispatchKey.ADInplaceOrView)
)


def tensors_are_plain() -> bool:
    """No compiler, mode, transform or tracer stands between an operator and its tensors."""
    return not (_compiling() or _included_keys().raw_repr() & ~_ORDINARY_KEYS)


def operators_are_plain() -> bool:
    """As `tensors_are_plain`, and no function mode or profiler would notice that an operator was not dispatched."""
    return not (_compiling() or _function_modes() or _included_keys().raw_repr() & ~_ORDINARY_KEYS or _profiling())
