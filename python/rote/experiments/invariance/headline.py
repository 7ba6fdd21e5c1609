"""What a finished `invariance` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""

    def words(name: str) -> str:
        value = summary[name]
        return "undefined (all features alike)" if value is None else f"{value:.3f}"

    lines = [
        f"{summary['labels']} labels, augmentation {summary['augment']}, views of {summary['view_recipe']}, "
        f"{summary['images']:,} images of {summary['data']}"
    ]
    for split, ending in (("test images", ""), ("images trained on", "_train")):
        lines.append(
            f"  end of the encoder, {split}: invariance {words(f'invariance_encoder{ending}')} "
            f"({words(f'invariance_encoder_init{ending}')} at initialization), a view finds its image "
            f"{words(f'retrieval_encoder{ending}')} ({words(f'retrieval_encoder_init{ending}')})"
        )
    return lines
