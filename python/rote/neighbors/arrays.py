"""Array interchange: numpy, torch and anything with `__dlpack__` come in as torch tensors and leave as they came."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

FLOAT_DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
INTEGER_DTYPES = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint32, torch.uint16, torch.uint8)


def describe(value: Any) -> str:
    """What an argument is, for an error message: kind, dtype and shape."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is None or shape is None:
        return type(value).__name__
    return f"{str(dtype).removeprefix('torch.')} {list(shape)}"


def is_foreign(value: Any) -> bool:
    """True for an array that is neither numpy's nor torch's but speaks DLPack (CuPy, JAX, ...)."""
    return not isinstance(value, (np.ndarray, torch.Tensor)) and hasattr(value, "__dlpack__")


def as_tensor(value: Any, name: str, dtypes: tuple[torch.dtype, ...], wanted: str) -> torch.Tensor:
    """The same numbers as a detached torch tensor, without a copy wherever the memory allows it.

    Args:
        value: a numpy array (any strides), a torch tensor, or an object with `__dlpack__`.
        name: the argument's name, for errors.
        dtypes: the dtypes that are accepted; none is ever converted.
        wanted: the requirement in words, for errors ("float64, ... of shape [Q, d]").

    Raises:
        TypeError: another kind of object, another dtype, a foreign byte order, a masked array or a sparse tensor.
    """
    if isinstance(value, torch.Tensor):
        tensor = value.detach()
    elif isinstance(value, np.ndarray):
        tensor = _from_numpy(value, name, wanted)
    elif hasattr(value, "__dlpack__"):
        try:
            tensor = torch.from_dlpack(value)
        except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as error:
            raise TypeError(f"{name} must be {wanted}; its __dlpack__ failed: {error}") from error
    else:
        raise TypeError(
            f"{name} must be {wanted}, as a numpy array, a torch tensor or an object with __dlpack__; "
            f"got {describe(value)}"
        )
    if tensor.dtype not in dtypes:
        raise TypeError(f"{name} must be {wanted}; got {describe(value)}")
    if tensor.layout != torch.strided:
        raise TypeError(f"{name} must be {wanted}, dense; got a tensor of layout {tensor.layout}")
    return tensor


def like(tensor: torch.Tensor, given: Any) -> Any:
    """A result in the kind of an argument: numpy for numpy, torch for torch.

    For any other object the result goes through the `from_dlpack` of that object's `__array_namespace__`
    (array API standard); an object without one gets the torch tensor, which speaks DLPack itself.
    """
    if isinstance(given, torch.Tensor):
        return tensor
    if isinstance(given, np.ndarray):
        return tensor.numpy()
    namespace = getattr(given, "__array_namespace__", None)
    return tensor if namespace is None else namespace().from_dlpack(tensor)


def _from_numpy(array: np.ndarray, name: str, wanted: str) -> torch.Tensor:
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} must be {wanted}; got a masked array, whose mask would be lost")
    if not array.dtype.isnative:
        raise TypeError(f"{name} must be {wanted}, in native byte order; got dtype {array.dtype.str!r}")
    is_bfloat16 = array.dtype.name == "bfloat16"  # ml_dtypes, which torch does not know by name
    if is_bfloat16:
        array = array.view(np.int16)
    elif array.dtype.kind not in "bfiu" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must be {wanted}; got {describe(array)}")
    if any(step < 0 or step % array.itemsize for step in array.strides):
        array = np.ascontiguousarray(array)  # strides that torch cannot express
    if not array.flags.writeable:
        array = np.asarray(_WritableAlias(array))
    tensor = torch.from_numpy(array)
    return tensor.view(torch.bfloat16) if is_bfloat16 else tensor


class _WritableAlias:
    """A read-only array (a memory map, say) under a writable flag: torch only reads it, and warns without."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array  # keeps the memory alive: numpy holds this object as the base of the alias
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface
