"""Parameter rows (32-bit words of the native core) as named columns, and back.

A row holds the fields of all operations in recipe order, each a 4-byte word: int32, or the bits of a float32; a key is
two words, the low one first. A
column is called `<operation>.<field>`; the second operation of a kind is `<operation>#2`. Behind the fields of an
operation that mixes in a partner image stands the partner's own row, the fields of all operations before it, as
`<operation>.partner.<operation>.<field>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from rote.augment.operation import Operation, Size

__all__ = ["Column", "check_values", "columns_of", "mixes", "occurrences", "pack", "prefixes", "unpack"]

_DTYPES = {"int": torch.int64, "bool": torch.bool, "float": torch.float32, "key": torch.int64}
_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1


@dataclass(frozen=True)
class Column:
    """Where one named column lies in a row."""

    name: str
    kind: str
    word: int
    words: int

    @property
    def shape(self) -> tuple[int, ...]:
        """What the shape of a column has besides that of the views."""
        return (self.words,) if self.words > 1 and self.kind != "key" else ()


def occurrences(operations: Sequence[Operation]) -> list[int]:
    """How many operations of the same kind stand before each one."""
    return [sum(o.kind == operation.kind for o in operations[:i]) for i, operation in enumerate(operations)]


def prefixes(operations: Sequence[Operation]) -> list[str]:
    """The first part of each operation's column names."""
    return [_prefix(o, n) for o, n in zip(operations, occurrences(operations), strict=True)]


def mixes(operation: Operation) -> bool:
    """Whether an operation mixes in a second image, its partner."""
    return hasattr(operation, "mix_labels")


def columns_of(operations: Sequence[Operation]) -> tuple[Column, ...]:
    """All columns of a recipe, in row order."""
    columns, word = [], 0
    for operation, prefix in zip(operations, prefixes(operations), strict=True):
        before, words_before = tuple(columns), word
        for field in operation.parameters:
            columns.append(Column(f"{prefix}.{field.name}", field.kind, word, field.words))
            word += field.words
        if mixes(operation):
            columns += [replace(c, name=f"{prefix}.partner.{c.name}", word=word + c.word) for c in before]
            word += words_before
    return tuple(columns)


def unpack(rows: torch.Tensor, columns: Sequence[Column], shape: Sequence[int]) -> dict[str, torch.Tensor]:
    """Columns of `shape` (+ [words]) from int32 rows [n, words]: int64, bool or float32."""
    floats = rows.view(torch.float32)
    params = {}
    for column in columns:
        words = (floats if column.kind == "float" else rows)[:, column.word : column.word + column.words]
        values = words.to(_DTYPES[column.kind])  # a copy also of the floats: columns must not pin or share the rows
        if column.kind == "float":
            values = words.clone()
        elif column.kind == "key":
            values = (values[:, 1] << 32) | (values[:, 0] & 0xFFFFFFFF)
        params[column.name] = values.reshape(*shape, *column.shape)
    return params


def pack(
    params: Mapping[str, torch.Tensor], columns: Sequence[Column], count: int, device: torch.device
) -> tuple[torch.Tensor, tuple[int, ...]]:
    """Rows int32 [n, words] from columns, and the shape [B] or [B, V] that the columns agree on.

    Raises:
        TypeError: a column is no tensor or of the wrong kind of dtype.
        ValueError: columns are missing, unknown, on another device, or of shapes that do not fit.
    """
    names = {column.name for column in columns}
    if missing := sorted(names - set(params)):
        raise ValueError(f"params: missing {', '.join(missing)}")
    if unknown := sorted(set(params) - names):
        raise ValueError(f"params: unknown {', '.join(unknown)}; the recipe has {', '.join(sorted(names)) or 'none'}")
    shape: tuple[int, ...] | None = None
    words = []
    for column in columns:
        values, given = params[column.name], f"params[{column.name!r}]"
        _require_kind(column, values)
        if values.device != device:
            raise ValueError(f"{given}: wanted device {device} of the images, got {values.device}")
        own = tuple(values.shape)
        if column.shape:
            if own[-1:] != column.shape:
                raise ValueError(f"{given}: wanted shape [..., {column.words}], got {list(own)}")
            own = own[:-1]
        if shape is None:
            shape = own
            if len(shape) not in (1, 2) or shape[0] != count:
                raise ValueError(f"{given}: wanted shape [{count}] or [{count}, V] as ids has, got {list(own)}")
        elif own != shape:
            raise ValueError(f"{given}: wanted shape {list(shape)} as the first column has, got {list(own)}")
        words.append(_to_words(column, values))
    if shape is None:
        return torch.empty(count, 0, dtype=torch.int32, device=device), (count,)
    return torch.cat(words, dim=1), shape


def check_values(
    params: Mapping[str, torch.Tensor], operations: Sequence[Operation], image: Size, target: Size, owner: str = ""
) -> None:
    """Raises ValueError where a parameter means nothing: a box outside the image, an order that repeats, NaN.

    `owner` begins the names of a partner's columns, in which nothing is mixed again.
    """
    first = image
    for position, (operation, prefix) in enumerate(zip(operations, prefixes(operations), strict=True)):
        name = owner + prefix
        if not (owner and mixes(operation)):
            values = {field.name: params[f"{name}.{field.name}"] for field in operation.parameters}
            operation.check_parameters(values, f"params[{name!r}]", image, target)
            if mixes(operation):
                check_values(params, operations[:position], first, target, f"{name}.partner.")
        image = operation.output_size(image, target)


def _prefix(operation: Operation, occurrence: int) -> str:
    return operation.kind if occurrence == 0 else f"{operation.kind}#{occurrence + 1}"


def _require_kind(column: Column, values: object) -> None:
    if not isinstance(values, torch.Tensor):
        raise TypeError(f"params[{column.name!r}]: wanted a tensor, got {type(values).__name__}")
    dtype = values.dtype
    fits = {
        "bool": dtype == torch.bool,
        "float": dtype == torch.float32,
        "int": dtype in (torch.int64, torch.int32),
        "key": dtype == torch.int64,
    }[column.kind]
    if not fits:
        raise TypeError(f"params[{column.name!r}]: wanted {_DTYPES[column.kind]}, got {dtype}")


def _to_words(column: Column, values: torch.Tensor) -> torch.Tensor:
    if column.kind == "key":
        keys = values.reshape(-1, 1)
        low = keys << 32 >> 32  # the low word as an int32
        return torch.cat([low, keys >> 32], dim=1).to(torch.int32)
    flat = values.reshape(-1, column.words)
    if column.kind == "float":
        return flat.contiguous().view(torch.int32)
    # Clamped, not wrapped: a number beyond int32 stays out of range and cannot turn into a valid one.
    return flat.long().clamp(_INT32_MIN, _INT32_MAX).to(torch.int32)
