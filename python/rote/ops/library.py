"""The torch.library namespace `rote` and the dtype codes of the native core.

`define` + `impl` + `register_fake` cost about half of what the `custom_op` decorator does per call, and one call here
serves a whole batch.
"""

from __future__ import annotations

import torch

LIBRARY = torch.library.Library("rote", "FRAGMENT")

#: rote::DType in csrc/include/rote/dtype.h.
DTYPE_CODES = {
    torch.float32: 0,
    torch.float16: 1,
    torch.bfloat16: 2,
    torch.float64: 3,
    torch.uint8: 4,
}


def register(schema: str, *, cpu, fake, cuda=None) -> None:
    """Defines one operator with its CPU, CUDA and fake (shape and stride) implementations."""
    name = schema.split("(", 1)[0]
    LIBRARY.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    LIBRARY.impl(name, cpu, "CPU")
    if cuda is not None:
        LIBRARY.impl(name, cuda, "CUDA")
    torch.library.register_fake(f"rote::{name}", fake, lib=LIBRARY)
