"""What every operation of a recipe has: a code in the native core, constants, and fields of a parameter row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch

__all__ = ["Field", "Operation", "operation_from_dict"]

Size = tuple[int, int]  # (height, width) in pixels
MAX_EXTENT = 16384  # pixels a side, rote::kMaxImageExtent


@dataclass(frozen=True)
class Field:
    """One drawn parameter of an operation.

    Attributes:
        name: torchvision's word for it.
        kind: "int", "bool", "float" or "key"; int64, bool, float32 or int64 in `Recipe.params`.
        words: 32-bit words it takes in a parameter row; more than one makes a column of shape [..., words], but the
            two of a key are one number.
    """

    name: str
    kind: str
    words: int = 1


@dataclass(frozen=True)
class Operation:
    """Base of all operations: a frozen description, without randomness or state of its own."""

    code: ClassVar[int]  # rote::OperationKind in csrc
    kind: ClassVar[str]  # the class in snake case: the prefix of its parameter columns
    parameters: ClassVar[tuple[Field, ...]] = ()
    before_normalize: ClassVar[bool] = False  # works on pixels in [0, 1]
    registry: ClassVar[dict[str, type[Operation]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Operation.registry[cls.kind] = cls

    def constants(self) -> list[float]:
        """The numbers the native core needs, in its order. Everything derived from them is computed there."""
        return []

    def output_size(self, image: Size, target: Size) -> Size:
        """The image size behind this operation, given the one before it and the size the recipe ends at.

        Raises:
            ValueError: this operation cannot act on images of that size.
        """
        return image

    def leaves_unit_range(self) -> bool:
        """Whether pixels in [0, 1] may leave it here, so that no colour operation can follow."""
        return False

    def check_unit_range(self) -> None:
        """Raises ValueError where numbers that this operation was given do not fit pixels in [0, 1]."""

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        """Raises ValueError where a replayed parameter means nothing for an image of size `image`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, for JSON; `operation_from_dict` is its inverse."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": self.kind} | {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def operation_from_dict(description: Mapping[str, Any]) -> Operation:
    """The operation that `Operation.to_dict` described.

    Raises:
        ValueError: an unknown kind, or arguments that the operation does not accept.
    """
    arguments = dict(description)
    kind = arguments.pop("kind", None)
    if kind not in Operation.registry:
        raise ValueError(f"kind: wanted one of {', '.join(sorted(Operation.registry))}, got {kind!r}")
    try:
        return Operation.registry[kind](**arguments)
    except TypeError as error:
        raise ValueError(f"{kind}: {error}") from error


# Argument checks -----------------------------------------------------------------------------------------------------


def number(owner: str, name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """`value` as a finite float in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{owner}: {name} must be a number, got {value!r}")
    if not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{owner}: {name} must be {_interval(low, high)}, got {value!r}")
    return float(value)


def pair(owner: str, name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
    """`value` as a (lower, upper) pair of finite floats in [low, high]."""
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        raise TypeError(f"{owner}: {name} must be a pair (lower, upper), got {value!r}")
    lower, upper = (number(owner, name, v, low, high) for v in value)
    if lower > upper:
        raise ValueError(f"{owner}: {name} must be (lower, upper) with lower <= upper, got {value!r}")
    return lower, upper


def extents(owner: str, name: str, value: Any) -> int | Size | None:
    """`value` as an int, (h, w) or None; pixels in [1, 16384]."""
    if value is None:
        return None
    numbers = tuple(value) if isinstance(value, (tuple, list)) and len(value) == 2 else (value,)
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in numbers):
        raise TypeError(f"{owner}: {name} must be an int, (h, w) or None, got {value!r}")
    if not all(1 <= v <= MAX_EXTENT for v in numbers):
        raise ValueError(f"{owner}: {name} must be in [1, {MAX_EXTENT}] pixels, got {value!r}")
    return value if isinstance(value, int) else numbers


def choice(owner: str, name: str, value: Any, options: Sequence[str]) -> str:
    if value not in options:
        raise ValueError(f"{owner}: {name} must be one of {', '.join(map(repr, options))}, got {value!r}")
    return value


def set_fields(operation: Operation, **values: Any) -> None:
    """Stores normalized arguments in a frozen dataclass, so that equal meanings compare equal."""
    for name, value in values.items():
        object.__setattr__(operation, name, value)


def require(good: torch.Tensor, column: str, wanted: str, values: torch.Tensor) -> None:
    """Raises ValueError naming the first row of `values` where `good` (over its rows) is false."""
    if bool(good.all()):
        return
    row = int((~good).reshape(-1).nonzero()[0])
    given = values.reshape(good.numel(), -1)[row].tolist()
    raise ValueError(f"{column}: wanted {wanted}, got {given[0] if len(given) == 1 else given} in row {row}")


def _interval(low: float, high: float) -> str:
    if low == -math.inf and high == math.inf:
        return "finite"
    if high == math.inf:
        return f"at least {low:g}"
    return f"in [{low:g}, {high:g}]"
