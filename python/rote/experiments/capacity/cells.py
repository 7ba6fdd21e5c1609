"""The cells of a capacity run: which pools are fitted by which networks, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rote.experiments.capacity import doubling

if TYPE_CHECKING:
    from rote.experiments.capacity import CapacityConfig

VISITS, STEPS, BOTH = "visits", "steps", "both"


class Cell(NamedTuple):
    """A network and a pool; it is trained at every learning rate.

    Attributes:
        width: width dial, None for the network's default.
        depth: depth dial, None for the network's default.
        images: N.
        views: B.
        label_mode: "same" or "random".
    """

    width: int | None
    depth: int | None
    images: int
    views: int
    label_mode: str

    @property
    def name(self) -> str:
        """Its name as a file."""
        dials = "".join(
            f"{dial}={value}_" for dial, value in (("width", self.width), ("depth", self.depth)) if value is not None
        )
        return f"{dials}images={self.images}_views={self.views}_{self.label_mode}"


def grid(config: CapacityConfig, images: int, available: int) -> list[Cell]:
    """The cells of a config, each once, in the order of the table.

    Behind N images with B views of own labels stands, where there are as many images, one view of N x B of them: views
    of an image are correlated, and this pool of the same size is not.

    Args:
        config: the options.
        images: N.
        available: number of training images of the data.
    """
    cells = []
    for width in config.widths or (config.width,):
        for depth in config.depths or (config.depth,):
            for views in config.views:
                for mode in config.label_modes:
                    cells.append(Cell(width, depth, images, views, mode))
                    if mode == "random" and config.single_views and views > 1 and images * views <= available:
                        cells.append(Cell(width, depth, images * views, 1, mode))
    return list(dict.fromkeys(cells))


def ladders(config: CapacityConfig, cell: Cell, images: int) -> Mapping[str, Sequence[int]]:
    """The steps at which a cell is looked at, {budget: ascending}.

    Equal steps are those that `--epochs` visits of each of the N images take; equal visits are `--visits` of every
    sample of the pool. A set of N x B images is trained in the batches of the N images it is compared with.

    Args:
        config: the options.
        cell: whose looks are wanted.
        images: N of the grid.
    """
    batch = min(config.batch_size, images)
    visit = cell.views * cell.images / batch
    budgets = {VISITS: config.visits * visit, STEPS: config.epochs * (images // batch)}
    wanted = (VISITS, STEPS) if config.budget == BOTH else (config.budget,)
    return {name: doubling.ladder(budgets[name], visit) for name in wanted}
