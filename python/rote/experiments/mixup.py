"""MixUp behind a run's recipe: each view is mixed with a view of another image trained on.

Images partner with images of the run alone, so that nothing of the rest of the data set reaches training. Weights are
uniform (Beta(1, 1)) and drawn view by view; the released code of arXiv 2210.14019 draws one for a batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rote.augment import MixUp, Recipe
from rote.train import LabelSource, Seeds, TrainingStream


class MixedViews:
    """Views of a recipe mixed with those of other images trained on, in the call protocol of `rote.augment.Recipe`.

    Args:
        recipe: what stands before MixUp.
        images: the whole bank, uint8 [M, C, H, W].
        image_ids: int64 [N], the images trained on.
        p: share of views that are mixed.
        mix_labels: whether `labelled` mixes labels with the same weight.
    """

    def __init__(self, recipe: Recipe, images: Tensor, image_ids: Tensor, p: float, *, mix_labels: bool) -> None:
        image_ids = image_ids.cpu()
        mixup = MixUp(alpha=1.0, p=p, mix_labels=mix_labels)
        self.recipe = Recipe(*recipe.operations, mixup, size=recipe.size, partners=len(image_ids))
        self._ids = image_ids
        self._row = torch.full((len(images),), -1, dtype=torch.int64)
        self._row[image_ids] = torch.arange(len(image_ids))
        self._trained_on = images[image_ids.to(images.device)]

    def __call__(
        self,
        images: Tensor,
        ids: Tensor,
        views: Tensor,
        seed: int = 0,
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
    ) -> Tensor:
        """Mixed views [B, C, h, w] of images trained on; arguments as of `Recipe`."""
        bank, rows = self._bank(images, ids)
        return self.recipe(bank, rows, views, seed, dtype=dtype, channels_last=channels_last, address_ids=ids)

    def labelled(
        self,
        images: Tensor,
        ids: Tensor,
        views: Tensor,
        labels: Tensor,
        num_classes: int,
        seed: int = 0,
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Mixed views and their labels.

        Args:
            labels: int64 [N], of the images trained on, in their order.
            num_classes: K.

        Returns:
            ([B, C, h, w], float32 [B, K]).
        """
        bank, rows = self._bank(images, ids)
        return self.recipe(
            bank,
            rows,
            views,
            seed,
            dtype=dtype,
            channels_last=channels_last,
            address_ids=ids,
            labels=labels,
            num_classes=num_classes,
        )

    def _bank(self, images: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The images trained on, on the bank's device, and the rows of `ids` among them."""
        device = images.device
        if self._trained_on.device != device:
            self._trained_on, self._row = self._trained_on.to(device), self._row.to(device)
        return self._trained_on, self._row[ids]


class MixedLabelStream(TrainingStream):
    """A training stream whose labels are mixed with the weights of the views; arguments as of `TrainingStream`."""

    recipe: MixedViews

    def __init__(
        self,
        images: Tensor,
        image_ids: Tensor,
        labels: LabelSource,
        recipe: MixedViews,
        batch_size: int,
        seeds: Seeds,
        views: int | None = None,
    ) -> None:
        if labels.kind == "per_view":
            raise ValueError("labels must be fixed or fresh to be mixed; got a label for each view")
        super().__init__(images, image_ids, labels, recipe, batch_size, seeds, views)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The samples of a step: (float [batch_size, C, H, W], float32 [batch_size, classes])."""
        ids, views, _ = self.addresses(step)
        # What every image is called at this visit; a partner lends the label it has itself.
        visits = torch.full_like(self.image_ids, self.epoch_of(step))
        labels = self.labels.labels(self.image_ids, visits, visits).to(self.images.device)
        return self.recipe.labelled(
            self.images,
            ids,
            views,
            labels,
            self.num_classes,
            seed=self.seeds.view,
            dtype=self.dtype,
            channels_last=self.channels_last,
        )
