"""The parts of a network that are put back, trained alone or counted apart: its blocks, and its single layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from rote.experiments.inputs.own_model import TappedModel
from rote.models import EncoderProjector

BLOCK, LAYER = "block", "layer"
REST = "rest"


@dataclass(frozen=True)
class Block:
    """A part of a network.

    Attributes:
        kind: "block" (a stage of the encoder, or the whole projector) or "layer" (the projector layer by layer).
        name: of the part.
        depth: its place among the parts of its kind, from 0.
        prefixes: of the names of its parameters and buffers.
    """

    kind: str
    name: str
    depth: int
    prefixes: tuple[str, ...]

    def holds(self, name: str) -> bool:
        """Whether a parameter, buffer or submodule of this name belongs to the part."""
        return any(name == prefix or name.startswith(prefix + ".") for prefix in self.prefixes)

    def entries(self, names: Iterable[str]) -> list[str]:
        """Those of the names that belong to the part."""
        return [name for name in names if self.holds(name)]


def blocks_of(network: nn.Module) -> list[Block]:
    """The parts in depth order, the blocks first, then the layers.

    Of a network of `rote.models` the stages of the encoder and the projector; layer by layer its two matrices are parts
    of their own. Of a module with taps the taps are both, and what belongs to none of them is "rest", behind them.

    Raises:
        ValueError: a network without such parts, or a tap inside another.
    """
    if isinstance(network, EncoderProjector):
        stages = [(name, (f"encoder.{name}",)) for name, _ in network.encoder.named_children()]
        layers = [(f"projector.{name}", (f"projector.{name}",)) for name, _ in network.projector.named_children()]
        return [*_numbered(BLOCK, [*stages, ("projector", ("projector",))]), *_numbered(LAYER, [*stages, *layers])]
    if not isinstance(network, TappedModel):
        raise ValueError(f"a network must be one of rote.models or have taps; got {type(network).__name__}")
    parts = [(tap, (f"module.{tap}",)) for tap in network.layers[:-1]]
    inside = [a for a, (p,) in parts for b, (q,) in parts if p.startswith(q + ".")]
    if inside:
        raise ValueError(f"taps must not lie inside each other, since each is put back alone; got {inside}")
    found = _numbered(BLOCK, parts)
    rest = [name for name in network.state_dict() if not any(block.holds(name) for block in found)]
    if rest:
        parts.append((REST, tuple(rest)))
    return [*_numbered(BLOCK, parts), *_numbered(LAYER, parts)]


def of_kind(blocks: Sequence[Block], kind: str) -> list[Block]:
    """The parts of one kind, in depth order."""
    return [block for block in blocks if block.kind == kind]


def with_later(block: Block, blocks: Sequence[Block]) -> Block:
    """A part and all later ones of its kind, as one."""
    later = [other for other in blocks if other.kind == block.kind and other.depth >= block.depth]
    return Block(block.kind, block.name, block.depth, tuple(prefix for other in later for prefix in other.prefixes))


def put_back(final: Mapping[str, Tensor], earlier: Mapping[str, Tensor], block: Block) -> dict[str, Tensor]:
    """The final weights and statistics with those of one part as they were earlier."""
    return {name: earlier[name] if block.holds(name) else value for name, value in final.items()}


def _numbered(kind: str, parts: Sequence[tuple[str, tuple[str, ...]]]) -> list[Block]:
    return [Block(kind, name, depth, prefixes) for depth, (name, prefixes) in enumerate(parts)]
