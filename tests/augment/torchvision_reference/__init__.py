"""The same rows through torchvision v2's functionals on float32.

Each file has a group of operations: APPLY maps a kind to fn(F, operation, x, p, size) -> x, with F the module of
functionals, x float32 [C, H, W] and p the fields of the operation's part of a row.
"""

from __future__ import annotations

import pytest
import torch

from ..oracle import operations_with_parameters
from . import color, geometry, noise, tone

APPLY = {**geometry.APPLY, **color.APPLY, **tone.APPLY, **noise.APPLY}

# A torchvision wheel for CUDA cannot load its operators beside a CPU torch; importing it needs their schemas only.
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_library = None


def import_torchvision():
    """torchvision.transforms.v2, or a skipped test."""
    global _library
    try:
        import torchvision.transforms.v2 as v2
    except RuntimeError:
        _library = torch.library.Library("torchvision", "DEF")
        for schema in SCHEMAS:
            _library.define(schema)
        v2 = pytest.importorskip("torchvision.transforms.v2")
    except ImportError:
        pytest.skip("torchvision is not installed")
    return v2


def render(recipe, image: torch.Tensor, row: dict, size: tuple[int, int]) -> torch.Tensor:
    """float32 [C, h, w] of a uint8 image [C, H, W] under one parameter row."""
    F = import_torchvision().functional
    x = image.float() / 255
    for operation, p in operations_with_parameters(recipe, row):
        x = APPLY[operation.kind](F, operation, x, p, size)
    return x
