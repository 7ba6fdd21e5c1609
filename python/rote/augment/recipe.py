"""A recipe: which operations turn an image into a view, and the call that renders views by address."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from rote.augment import arguments, parameters
from rote.augment.direct import DirectCalls
from rote.augment.color import ColorJitter, Grayscale, Normalize
from rote.augment.operation import Operation, Size, operation_from_dict
from rote.ops import augment as ops

__all__ = ["Recipe"]

#: Part of every hash: raised when the same recipe and address come to mean other pixels.
SEMANTICS_VERSION = 1
#: A stream is code·16 + occurrence (docs/addressing.md), and the native core holds as many operations.
MAX_OPERATIONS = 16


class Recipe:
    """A sequence of operations, applied one after another in the order given and never merged.

    A view is a pure function of (seed, image, view): no state, the same bits whatever the batch, its order, the
    threads or the device. Pixels go from uint8 to float32 by division by 255, are not rounded between operations, and
    are cast once at the end; they lie in [0, 1] unless a `Normalize` is among the operations.

    Args:
        *operations: operations of `rote.augment`, none for the images as they are.
        size: what crops resize or cut to and the recipe ends at, an int or (H, W); None: the images' own size.
        mean, std: append `Normalize(mean, std)`; both or neither.

    Raises:
        TypeError: an argument is no operation, or size no int or pair of ints.
        ValueError: size is not positive, only one of mean and std is given, a colour operation stands behind a
            `Normalize` (it works on [0, 1]), or there are more than 16 operations.

    Example:
        >>> recipe = Recipe(RandomResizedCrop(), HorizontalFlip(), size=8)
        >>> images = torch.zeros(10, 3, 32, 32, dtype=torch.uint8)
        >>> recipe(images, ids=torch.tensor([3, 3]), views=torch.tensor([0, 1])).shape
        torch.Size([2, 3, 8, 8])
    """

    def __init__(
        self,
        *operations: Operation,
        size: int | Size | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
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
        _check_operations(operations)
        occurrences = parameters.occurrences(operations)
        self.columns = parameters.columns_of(operations)
        self._row_words = sum(column.words for column in self.columns)
        self.program = json.dumps(
            [[o.code, n, o.constants()] for o, n in zip(operations, occurrences, strict=True)], separators=(",", ":")
        )
        self._direct = DirectCalls(self.program, self._output_size_of)
        self._colored = any(isinstance(o, Normalize) and len({*o.mean}) + len({*o.std}) > 2 for o in operations)

    # Rendering -------------------------------------------------------------------------------------------------------

    def __call__(
        self,
        images: torch.Tensor,
        ids: torch.Tensor,
        views: torch.Tensor,
        seed: int = 0,
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
        out: torch.Tensor | None = None,
        address_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Renders views of images.

        Args:
            images: the whole bank, uint8 [N, C, H, W], C 1 or 3, any strides, CPU or CUDA; numpy arrays as well.
            ids: rows of the bank, int64 [B], on the images' device.
            views: int64 [B], one view of each id, or [B, V], V views of each; 0 <= view < 2^48.
            seed: 0 <= seed < 2^64.
            dtype: torch.float32 (the default), torch.float16 or torch.bfloat16.
            channels_last: NHWC memory instead of NCHW; the shape is the same.
            out: a tensor to write into, of the result's shape and device; its dtype and strides decide.

        Returns:
            [B, C, h, w] or [B, V, C, h, w], a torch tensor on the images' device.

        Raises:
            TypeError: an argument has the wrong type or dtype.
            ValueError: a shape, device or geometry does not fit; on the CPU also an id outside [0, N) or a view
                outside [0, 2^48). On CUDA such a view is never read from memory, and ROTE_CHECK=1 makes it an error
                at the price of a synchronization.
        """
        direct = self._direct.render(images, ids, views, seed, dtype, channels_last, out, address_ids)
        if direct is not None:
            return direct
        images = arguments.images(images)
        ids = arguments.addresses(ids, "ids", 1)
        views = arguments.addresses(views, "views", 2)
        arguments.same_batch(ids, views, "views")
        seed = arguments.seed(seed)
        flat_ids, flat_views = _flatten(ids, views)
        return self._render(images, flat_ids, flat_views, None, seed, views.shape, dtype, channels_last, out)

    def params(
        self,
        ids: torch.Tensor,
        views: torch.Tensor,
        seed: int = 0,
        *,
        image_size: int | Size,
        device: torch.device | str | None = None,
    ) -> dict[str, torch.Tensor]:
        """The drawn parameters of views, named `<operation>.<field>` as in design.md; `apply` replays them.

        Args:
            ids: int64 [B], 0 <= id < 2^40.
            views: int64 [B] or [B, V].
            seed: as in the call.
            image_size: (H, W) of the bank's images, or an int for squares.
            device: where to draw and return them; default: that of `ids`.

        Returns:
            One tensor for each field, of views' shape: int64, bool or float32; `color_jitter.order` has [..., 4]:
            0 brightness, 1 contrast, 2 saturation, 3 hue, applied from left to right. Empty for a recipe that draws
            nothing.

        Raises:
            TypeError, ValueError: as in the call.
        """
        ids = arguments.addresses(ids, "ids", 1)
        views = arguments.addresses(views, "views", 2)
        arguments.same_batch(ids, views, "views")
        seed = arguments.seed(seed)
        image = arguments.size(image_size, "image_size")
        if image is None:
            raise TypeError("image_size: wanted an int or (H, W), got None")
        target = self.output_size(image)
        if device is not None:
            ids, views = ids.to(device), views.to(device)
        flat_ids, flat_views = _flatten(ids, views)
        rows = ops.augment_sample(flat_ids, flat_views, self.program, image, target, self._row_words, seed)
        return parameters.unpack(rows, self.columns, views.shape)

    def apply(
        self,
        images: torch.Tensor,
        ids: torch.Tensor,
        params: Mapping[str, torch.Tensor],
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
        out: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Renders images under given parameters, drawn by `params` or the caller's own.

        `recipe(images, ids, views, seed)` and `recipe.apply(images, ids, recipe.params(ids, views, seed, ...))` are
        the same bits.

        Args:
            images, ids, dtype, channels_last, out: as in the call.
            params: every column that `params` returns, each of shape [B] or [B, V] (+ [4] for an order). A recipe
                without any renders [B, C, h, w].

        Raises:
            TypeError: a column has the wrong dtype.
            ValueError: columns are missing, unknown or of shapes that do not fit; on the CPU also values that mean
                nothing: a box outside the image, an order that is no permutation, a number that is not finite. On
                CUDA these are never read from memory, and ROTE_CHECK=1 makes them errors.
        """
        images = arguments.images(images)
        ids = arguments.addresses(ids, "ids", 1)
        rows, shape = parameters.pack(params, self.columns, ids.shape[0], images.device)
        if not torch.compiler.is_compiling() and arguments.may_read_values(images):
            image = tuple(images.shape[2:])
            parameters.check_values(params, self.operations, image, self.output_size(image))
        flat_ids = ids if len(shape) == 1 else ids.unsqueeze(1).expand(shape).reshape(-1)
        if self._row_words == 0:  # nothing was drawn, so every view of an image is the same one
            return self._render(images, ids, torch.zeros_like(ids), None, 0, shape, dtype, channels_last, out)
        return self._render(images, flat_ids, None, rows, 0, shape, dtype, channels_last, out)

    def output_size(self, image_size: Size) -> Size:
        """The (h, w) of views of images of size (H, W).

        Raises:
            ValueError: an operation cannot act on such images, or none brings them to the recipe's size.
        """
        target = image_size if self.size is None else self.size
        current = image_size
        for operation in self.operations:
            current = operation.output_size(current, target)
        if current[0] != target[0] or current[1] != target[1]:
            raise ValueError(
                f"size: the recipe ends at {target[0]} x {target[1]} but its operations leave images of "
                f"{current[0]} x {current[1]}; add RandomResizedCrop or RandomCrop, or leave size out"
            )
        return target

    def _output_size_of(self, images: torch.Tensor) -> Size:
        """(h, w) of views of a bank, which must be one that this recipe can render."""
        if images.shape[1] == 1 and self._colored:
            raise ValueError("images: wanted 3 channels for a Normalize of three, got 1")
        return self.output_size(tuple(images.shape[2:]))

    def _render(self, images, ids, views, rows, seed, shape, dtype, channels_last, out):
        if ids.device != images.device:
            raise ValueError(f"ids: wanted device {images.device} of the images, got {ids.device}")
        channels = images.shape[1]
        if channels == 1 and self._colored:
            raise ValueError("images: wanted 3 channels for a Normalize of three, got 1")
        size = self.output_size(tuple(images.shape[2:]))
        if out is not None:
            flat_out = arguments.output(out, (*shape, channels, *size), images.device, dtype, channels_last)
            ops.augment_render_out(images, ids, views, rows, self.program, seed, flat_out)
            return out
        dtype = arguments.output_dtype(dtype)
        result = ops.augment_render(images, ids, views, rows, self.program, size, seed, dtype, channels_last)
        return result if len(shape) == 1 else result.view(*shape, channels, *size)

    # Description -----------------------------------------------------------------------------------------------------

    def at(self, size: int | Size | None) -> Recipe:
        """The same operations ending at another size."""
        return Recipe(*self.operations, size=size)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, for JSON; `from_dict` is its inverse."""
        return {
            "operations": [operation.to_dict() for operation in self.operations],
            "size": None if self.size is None else list(self.size),
        }

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_dict` described.

        Raises:
            ValueError: unknown keys, kinds or arguments.
        """
        if unknown := sorted(set(description) - {"operations", "size"}):
            raise ValueError(f"description: unknown {', '.join(unknown)}; wanted operations and size")
        if "operations" not in description:
            raise ValueError("description: missing operations")
        size = description.get("size")
        operations = [operation_from_dict(operation) for operation in description["operations"]]
        return cls(*operations, size=tuple(size) if isinstance(size, Sequence) else size)

    def hash(self) -> str:
        """SHA-256 (hex) of the description and the version of its meaning: equal hashes, equal pixels."""
        description = {"semantics": SEMANTICS_VERSION} | self.to_dict()
        return hashlib.sha256(json.dumps(description, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def describe(self) -> str:
        """The recipe for people, one operation a line."""
        size = "the images' own size" if self.size is None else f"{self.size[0]} x {self.size[1]}"
        lines = [f"{position}. {operation!r}" for position, operation in enumerate(self.operations, 1)]
        return "\n".join([f"views at {size}, hash {self.hash()[:12]}", *(lines or ["the images as they are"])])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recipe):
            return NotImplemented
        return self.operations == other.operations and self.size == other.size

    def __hash__(self) -> int:
        return hash((self.operations, self.size))

    def __repr__(self) -> str:
        parts = [repr(operation) for operation in self.operations]
        if self.size is not None:
            parts.append(f"size={self.size[0] if self.size[0] == self.size[1] else self.size}")
        return f"Recipe({', '.join(parts)})"


def _check_operations(operations: Sequence[Operation]) -> None:
    if len(operations) > MAX_OPERATIONS:
        raise ValueError(f"operations: wanted at most {MAX_OPERATIONS}, got {len(operations)}")
    normalized = False
    for operation in operations:
        if not normalized and not 0 <= getattr(operation, "fill", 0.0) <= 1:
            raise ValueError(f"{type(operation).__name__}: fill must be in [0, 1], got {operation.fill}")
        if normalized and isinstance(operation, (ColorJitter, Grayscale)):
            raise ValueError(f"{type(operation).__name__}: works on pixels in [0, 1] and must stand before Normalize")
        normalized = normalized or isinstance(operation, Normalize)


def _flatten(ids: torch.Tensor, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and views of each view [n] from ids [B] and views [B] or [B, V]."""
    if views.ndim == 1:
        return ids, views
    return ids.unsqueeze(1).expand(views.shape).reshape(-1), views.reshape(-1)
