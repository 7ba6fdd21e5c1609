"""What a recipe is as a value: its operations, their checks, equality, description and hash."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

from rote.augment import arguments, description, parameters
from rote.augment.color import Normalize
from rote.augment.operation import Operation, Size, operation_from_dict

__all__ = ["Specification"]

#: A stream is code·16 + occurrence (docs/addressing.md), and the native core holds as many operations.
MAX_OPERATIONS = 16
#: A partner is an int32 word of a parameter row.
MAX_PARTNERS = (1 << 31) - 1


class Specification:
    """The operations of a recipe with its sizes and partners; arguments and errors as of `Recipe`."""

    def __init__(
        self,
        *operations: Operation,
        size: int | Size | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        partners: int | None = None,
    ) -> None:
        for position, operation in enumerate(operations):
            if not isinstance(operation, Operation):
                raise TypeError(f"operations[{position}]: wanted an operation of rote.augment, got {operation!r}")
        if (mean is None) != (std is None):
            raise ValueError(f"mean, std: wanted both or neither, got mean={mean!r}, std={std!r}")
        if mean is not None and std is not None:
            operations = (*operations, Normalize(mean, std))
        self.operations = operations
        self.size = arguments.size(size)
        self.partners = None if partners is None else arguments.count(partners, "partners", MAX_PARTNERS)
        _check_operations(operations, self.partners)

    def output_size(self, image_size: Size) -> Size:
        """The (h, w) of views of images of size (H, W).

        Raises:
            ValueError: an operation cannot act on such images, or none brings them to the recipe's size.
        """
        target = self.size or image_size
        current = self._size_behind(image_size, target)
        if self.size is None and current != target:  # an operation with a size of its own decides
            target, current = current, self._size_behind(image_size, current)
        if current[0] != target[0] or current[1] != target[1]:
            raise ValueError(
                f"size: the recipe ends at {target[0]} x {target[1]} but its operations leave images of "
                f"{current[0]} x {current[1]}; add a crop or a Resize, or leave size out"
            )
        return target

    def _size_behind(self, image_size: Size, target: Size) -> Size:
        for operation in self.operations:
            image_size = operation.output_size(image_size, target)
        return image_size

    def at(self, size: int | Size | None) -> Self:
        """The same operations ending at another size."""
        return type(self)(*self.operations, size=size, partners=self.partners)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, for JSON; `from_dict` is its inverse."""
        return {
            "operations": [operation.to_dict() for operation in self.operations],
            "size": None if self.size is None else list(self.size),
        } | ({} if self.partners is None else {"partners": self.partners})

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Self:
        """The recipe that `to_dict` described.

        Raises:
            TypeError, ValueError: unknown keys, kinds or arguments.
        """
        if unknown := sorted(set(description) - {"operations", "size", "partners"}):
            raise ValueError(f"description: unknown {', '.join(unknown)}; wanted operations, size and partners")
        if "operations" not in description:
            raise ValueError("description: missing operations")
        size = description.get("size")
        operations = [operation_from_dict(operation) for operation in description["operations"]]
        return cls(
            *operations,
            size=tuple(size) if isinstance(size, Sequence) else size,
            partners=description.get("partners"),
        )

    def to_json(self) -> str:
        """The description as JSON; `from_json` is its inverse."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The recipe that `to_json` wrote.

        Raises:
            ValueError: no JSON object, or as `from_dict`.
        """
        description = json.loads(text)
        if not isinstance(description, dict):
            raise ValueError(f"text: wanted a JSON object, got {type(description).__name__}")
        return cls.from_dict(description)

    def hash(self) -> str:
        """SHA-256 (hex) of the description and the version of its meaning: equal hashes, equal pixels."""
        return description.hash_of(self)

    def describe(self, image_size: int | Size | None = None) -> str:
        """The recipe for people, one operation a line; in pixels where the images' size is given."""
        return description.describe(self, arguments.size(image_size, "image_size"))

    def __reduce__(self) -> tuple:
        return type(self).from_dict, (self.to_dict(),)  # what was bound for calls is bound again

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Specification):
            return NotImplemented
        return (self.operations, self.size, self.partners) == (other.operations, other.size, other.partners)

    def __hash__(self) -> int:
        return hash((self.operations, self.size, self.partners))

    def __repr__(self) -> str:
        parts = [repr(operation) for operation in self.operations]
        if self.size is not None:
            parts.append(f"size={self.size[0] if self.size[0] == self.size[1] else self.size}")
        if self.partners is not None:
            parts.append(f"partners={self.partners}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _check_operations(operations: Sequence[Operation], partners: int | None) -> None:
    if len(operations) > MAX_OPERATIONS:
        raise ValueError(f"operations: wanted at most {MAX_OPERATIONS}, got {len(operations)}")
    normalized = False
    for operation in operations:
        if not normalized and not 0 <= getattr(operation, "fill", 0.0) <= 1:
            raise ValueError(f"{type(operation).__name__}: fill must be in [0, 1], got {operation.fill}")
        if normalized and operation.before_normalize:
            raise ValueError(f"{type(operation).__name__}: works on pixels in [0, 1] and must stand before Normalize")
        if not normalized:
            operation.check_unit_range()
        normalized = normalized or isinstance(operation, Normalize) or operation.leaves_unit_range()
        if parameters.mixes(operation) and partners is None:
            raise ValueError(f"partners: {type(operation).__name__} wants the number of images it draws from, got None")
