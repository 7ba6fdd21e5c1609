"""The trainings of a `noise` run, and the data of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rote.augment import RandomCrop, Recipe
from rote.data import PixelStatistics, corrupt_inputs, pixel_statistics
from rote.data.corruption import TEST_IDS
from rote.experiments.inputs.loading import Inputs
from rote.train import corrupt_labels

if TYPE_CHECKING:
    from rote.experiments.noise import NoiseConfig

TRUE, SHUFFLED, RANDOM_LABELS = "true", "shuffled-pixels", "random-labels"
#: In the order in which arXiv 1611.03530 (a reproduction of its figure 1a) finds them fitted, the fastest first.
CONDITIONS = (TRUE, SHUFFLED, "gaussian", "random-pixels", RANDOM_LABELS)


@dataclass(frozen=True)
class Cell:
    """One training.

    Attributes:
        condition: one of `CONDITIONS`.
        corruption: share of the images it is about, in (0, 1]; 0 for "true".
        crop: whether training shows random crops in place of the central one.
        weight_decay: of the optimizer.
    """

    condition: str
    corruption: float
    crop: bool
    weight_decay: float

    @property
    def name(self) -> str:
        """A file name."""
        crop = "random" if self.crop else "center"
        return f"{self.condition}_{self.corruption:g}_crop={crop}_decay={self.weight_decay:g}"


def cells_of(config: NoiseConfig) -> list[Cell]:
    """The trainings of a run, each once: conditions, levels of corruption, then the grid of regularizers."""
    own = config.weight_decay
    cells = [Cell(name, 0.0 if name == TRUE else 1.0, False, own) for name in config.conditions]
    cells += [Cell(config.levels_of, level, False, own) for level in config.levels]
    if config.grid:
        cells += [
            Cell(condition, corruption, crop, decay)
            for condition, corruption in ((TRUE, 0.0), (RANDOM_LABELS, 1.0))
            for crop in (False, True)
            for decay in (0.0, config.grid_weight_decay)
        ]
    return list(dict.fromkeys(cells))


@dataclass(frozen=True)
class CellData:
    """What a cell is trained and tested on.

    Attributes:
        images: uint8 [M, C, H, W], the training images at their ids, corrupted; other rows are black. Whole images
            where training crops them at random, else the central crop.
        cropped: the same, the central crop.
        recipe: what training shows of `images`.
        label_used: int64 [N].
        redrawn: bool [N], whose label was drawn again.
        noisy: bool [N], whose pixels were corrupted.
        test: uint8 [T, C, h, w].
        test_inputs: "clean" or "shuffled-pixels".
    """

    images: Tensor
    cropped: Tensor
    recipe: Recipe
    label_used: Tensor
    redrawn: Tensor
    noisy: Tensor
    test: Tensor
    test_inputs: str


class CellSource:
    """Makes the data of cells.

    Test images stay clean, with their true labels; only where all pixels are shuffled by the one permutation are those
    of the test images, too, as in the paper.

    Args:
        config: the resolved options.
        inputs: the data.
        num_classes: C.
    """

    def __init__(self, config: NoiseConfig, inputs: Inputs, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.num_classes = num_classes
        self.crop = config.crop_of(inputs.bank.image_size)
        self._statistics: PixelStatistics | None = None

    def data(self, cell: Cell) -> CellData:
        """The data of a cell."""
        bank, ids, seed = self.inputs.bank, self.inputs.image_ids, self.config.seeds().label
        images, label_used = bank.train.images[ids], self.inputs.label_true
        redrawn = noisy = torch.zeros(len(ids), dtype=torch.bool)
        test, test_inputs = bank.test.images, "clean"
        if cell.condition == RANDOM_LABELS:
            label_used, redrawn = corrupt_labels(
                label_used, ids, self.num_classes, seed, p=cell.corruption, kind=self.config.label_noise
            )
        elif cell.condition != TRUE:
            how = {"seed": seed, "statistics": self._moments()}
            images, noisy = corrupt_inputs(images, ids, cell.condition, share=cell.corruption, **how)
            if cell.condition == SHUFFLED and cell.corruption == 1.0:
                test_ids = torch.arange(len(test)) + TEST_IDS
                test, test_inputs = corrupt_inputs(test, test_ids, SHUFFLED, **how)[0], SHUFFLED
        cropped = self._at_ids(central(images, self.crop))
        shown = self._at_ids(images) if cell.crop else cropped
        recipe = Recipe(RandomCrop(), size=self.crop) if cell.crop else Recipe()
        return CellData(
            shown, cropped, recipe, label_used, redrawn, noisy, central(test, self.crop).contiguous(), test_inputs
        )

    def _at_ids(self, images: Tensor) -> Tensor:
        # Rows at their ids: what an image shows at a visit is a function of its id. Rows that are never written take
        # no memory.
        bank = torch.zeros((len(self.inputs.bank.train), *images.shape[1:]), dtype=torch.uint8)
        bank[self.inputs.image_ids] = images
        return bank

    def _moments(self) -> PixelStatistics:
        if self._statistics is None:
            self._statistics = pixel_statistics(self.inputs.bank.train.images)
        return self._statistics


def central(images: Tensor, size: Sequence[int]) -> Tensor:
    """The central crop: uint8 [N, C, H, W] -> [N, C, *size], a view."""
    top, left = ((have - want) // 2 for have, want in zip(images.shape[2:], size, strict=True))
    return images[:, :, top : top + size[0], left : left + size[1]]
