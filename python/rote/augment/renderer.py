"""Views by way of the operators of `rote.ops.augment`: what a recipe calls them with."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch
from torch import Tensor

from rote.augment import arguments, parameters
from rote.augment.color import Normalize
from rote.augment.operation import Operation, Size
from rote.augment.specification import Specification
from rote.ops import augment as ops

__all__ = ["Renderer"]


class Renderer:
    """The operators' calls of one recipe.

    Args:
        specification: the recipe.

    Attributes:
        program: its operations as the native core reads them.
        columns: of its parameter rows.
        row_words: int32 words a row; 0 where nothing is drawn.
    """

    def __init__(self, specification: Specification) -> None:
        operations = specification.operations
        self.program = _program(operations, specification.partners)
        self.columns = parameters.columns_of(operations)
        self.row_words = sum(column.words for column in self.columns)
        self._specification = specification
        self._mixes = any(parameters.mixes(o) for o in operations)
        self._colored = any(isinstance(o, Normalize) and len({*o.mean}) + len({*o.std}) > 2 for o in operations)

    def output_size(self, images: Tensor) -> Size:
        """(h, w) of views of a bank uint8 [N, C, H, W].

        Raises:
            ValueError: the recipe cannot render it.
        """
        if images.shape[1] == 1 and self._colored:
            raise ValueError("images: wanted 3 channels for a Normalize of three, got 1")
        partners = self._specification.partners
        if self._mixes and images.shape[0] < partners:
            raise ValueError(
                f"images: wanted at least {partners}, for the recipe draws partners from so many, got {images.shape[0]}"
            )
        return self._specification.output_size(tuple(images.shape[2:]))

    def rows(self, image_size: Size, ids: Tensor, views: Tensor, seed: int) -> Tensor:
        """The parameter rows int32 [n, row_words] of views int64 [n] of images of a size."""
        target = self._specification.output_size(image_size)
        return ops.augment_sample(ids, views, self.program, image_size, target, self.row_words, seed)

    def render(
        self,
        images: Tensor,
        ids: Tensor,
        views: Tensor | None,
        rows: Tensor | None,
        seed: int,
        shape: Sequence[int],
        dtype: torch.dtype | None,
        channels_last: bool,
        out: Tensor | None,
        address_ids: Tensor | None = None,
    ) -> Tensor:
        """Views [*shape, C, h, w] of images[ids], drawn by `views` or given as `rows`, each with n = prod(shape).

        Raises:
            TypeError, ValueError: as in `Recipe.__call__`.
        """
        if ids.device != images.device:
            raise ValueError(f"ids: wanted device {images.device} of the images, got {ids.device}")
        channels, size = images.shape[1], self.output_size(images)
        if out is not None:
            flat_out = arguments.output(out, (*shape, channels, *size), images.device, dtype, channels_last)
            ops.augment_render_out(images, ids, views, rows, self.program, seed, flat_out, address_ids)
            return out
        dtype = arguments.output_dtype(dtype)
        result = ops.augment_render(
            images, ids, views, rows, self.program, size, seed, dtype, channels_last, address_ids
        )
        return result if len(shape) == 1 else result.view(*shape, channels, *size)


def _program(operations: Sequence[Operation], partners: int | None) -> str:
    """The operations as the native core reads them: code, occurrence, constants."""
    described = [
        [o.code, n, [*o.constants(), float(partners)] if parameters.mixes(o) else o.constants()]
        for o, n in zip(operations, parameters.occurrences(operations), strict=True)
    ]
    return json.dumps(described, separators=(",", ":"))
