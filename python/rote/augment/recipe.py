"""A recipe: which operations turn an image into a view, and the call that renders views by address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from rote.augment import arguments, parameters
from rote.augment import labels as labelling
from rote.augment.cardinality import Cardinality, cardinality
from rote.augment.direct import DirectCalls
from rote.augment.operation import Operation, Size
from rote.augment.renderer import Renderer
from rote.augment.specification import Specification
from rote.augment.steps import LabelledStep, Step, step_addresses

__all__ = ["Recipe"]


class Recipe(Specification):
    """A sequence of operations, applied one after another in the order given and never merged.

    A view is a pure function of (seed, image, view): no state, the same bits whatever the batch, its order, the
    threads or the device. Pixels go from uint8 to float32 by division by 255, are not rounded between operations, and
    are cast once at the end; they lie in [0, 1] unless a `Normalize` is among the operations.

    Args:
        *operations: operations of `rote.augment`, none for the images as they are.
        size: what the recipe ends at, and crops and resizes without a size of their own, an int or (H, W); None: the
            size that the last such operation leaves, or else the images' own.
        mean, std: append `Normalize(mean, std)`; both or neither.
        partners: images 0 .. partners - 1 are those that operations which mix in a second image draw it from, so that
            a view does not depend on the size of a bank; below 2^31.

    Raises:
        TypeError: an argument is no operation, or size no int or pair of ints.
        ValueError: size is not positive, only one of mean and std is given, a colour operation stands behind a
            `Normalize` (it works on [0, 1]), an operation wants partners, or there are more than 16 operations.

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
        partners: int | None = None,
    ) -> None:
        super().__init__(*operations, size=size, mean=mean, std=std, partners=partners)
        self._renderer = Renderer(self)
        self.program, self.columns = self._renderer.program, self._renderer.columns
        self._direct = DirectCalls(self.program, self._renderer.output_size)

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
        labels: torch.Tensor | None = None,
        num_classes: int | None = None,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Renders views of images.

        Args:
            images: the whole bank, uint8 [N, C, H, W], C 1 or 3, any strides, CPU or CUDA; numpy arrays as well.
            ids: rows of the bank, int64 [B], on the images' device.
            views: int64 [B], one view of each id, or [B, V], V views of each; 0 <= view < 2^48.
            seed: 0 <= seed < 2^64.
            dtype: torch.float32 (the default), torch.float16 or torch.bfloat16.
            channels_last: NHWC memory instead of NCHW; the shape is the same.
            out: a tensor to write into, of the result's shape and device; its dtype and strides decide.
            address_ids: int64 [B], the image ids of the addresses where the bank's rows have others (a shard of a
                larger set); 0 <= id < 2^40. Default: `ids`.
            labels: int64 [N], one for each image; with them the call returns (x, y).
            num_classes: K, wanted where the recipe mixes labels; given otherwise, labels are checked against it.

        Returns:
            [B, C, h, w] or [B, V, C, h, w], a torch tensor on the images' device. With `labels` the pair of it and
            y of the shape of `views`: int64 labels[ids], or float32 [..., K] where an operation mixes labels.

        Raises:
            TypeError: an argument has the wrong type or dtype.
            ValueError: a shape, device or geometry does not fit; on the CPU also an id outside [0, N), a view
                outside [0, 2^48) or a label outside [0, K). On CUDA such a view is never read from memory, and
                ROTE_CHECK=1 makes it an error at the price of a synchronization.
        """
        if labels is None and num_classes is None:
            direct = self._direct.render(images, ids, views, seed, dtype, channels_last, out, address_ids)
            if direct is not None:
                return direct
        images = arguments.images(images)
        ids = arguments.addresses(ids, "ids", 1)
        views = arguments.addresses(views, "views", 2)
        arguments.same_batch(ids, views, "views")
        seed = arguments.seed(seed)
        if labels is None and num_classes is not None:
            raise ValueError(f"labels: wanted labels to go with num_classes={num_classes}, got None")
        if address_ids is not None:
            address_ids = arguments.addresses(address_ids, "address_ids", 1)
            arguments.same_batch(ids, address_ids, "address_ids")
        flat_ids, flat_views = _flatten(ids, views)
        if address_ids is not None:
            address_ids = _flatten(address_ids, views)[0]
        shape, rows, y = views.shape, None, None
        if labels is not None:
            soft = labelling.mixes_labels(self.operations)
            labels = labelling.check_labels(labels, num_classes, images.shape[0], images.device, soft)
            if soft:  # the weights stand in the rows, so these are drawn apart and rendered from
                drawn_for = flat_ids if address_ids is None else address_ids
                rows = self._renderer.rows(tuple(images.shape[2:]), drawn_for, flat_views, seed)
                flat_views = address_ids = None
        x = self._renderer.render(
            images, flat_ids, flat_views, rows, seed, shape, dtype, channels_last, out, address_ids
        )
        if labels is None:
            return x
        if rows is None:
            y = labelling.hard_labels(labels, ids, num_classes)
            return x, y if len(shape) == 1 else y.unsqueeze(1).expand(shape)
        image = tuple(images.shape[2:])
        params = parameters.unpack(rows, self.columns, flat_ids.shape)
        y = labelling.soft_labels(
            self.operations, params, labels, flat_ids, num_classes, image, self.output_size(image)
        )
        return x, y.view(*shape, num_classes)

    def step(
        self,
        images: torch.Tensor,
        step: torch.Tensor | int,
        batch_size: int,
        *,
        order: int = 0,
        seed: int = 0,
        steps: int = 1,
        pool: int | None = None,
        subset: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        num_classes: int | None = None,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
        out: torch.Tensor | None = None,
    ) -> Step | LabelledStep:
        """Renders everything a training step shows, from the number of the step alone.

        An epoch shows every image once, in a keyed permutation of (order, epoch), in whole batches: images left over
        at its end are dropped, and an epoch has N // batch_size steps (docs/addressing.md, "Steps"). A set smaller than
        `batch_size` is one batch. The view shown is the number of the epoch, hence always a new one, or is drawn
        from a pool of addressed views. Nothing is stored, so resuming means knowing the number.

        Args:
            images: the bank, as in the call.
            step: number of the step, int64 [1] on the images' device, or an int. The tensor is only read, on CUDA by
                the kernel: a captured graph goes on by the caller's own `step.add_(1)`.
            batch_size: images a step.
            order: seed of the order and of the pool, 0 <= order < 2^64.
            seed: of the views, as in the call.
            steps: so many consecutive steps in one launch, [steps * batch_size, ...].
            pool: None, or how many views of each image there are, up to 2^31: a visit shows one of them, drawn
                uniformly.
            subset: int64 [M], the rows of the bank to train on; default: all.
            labels, num_classes, dtype, channels_last, out: as in the call.

        Returns:
            (x, ids, views), and y as a fourth where labels are given.

        Raises:
            TypeError, ValueError: as in the call; on the CPU also a negative step, or one of an epoch from 2^47 on. On
                CUDA such a step has ids and views -1 and pixels NaN.
        """
        images = arguments.images(images)
        ids, views = step_addresses(images, step, batch_size, order, steps, pool, subset)
        how = {"dtype": dtype, "channels_last": channels_last, "out": out}
        if labels is None:
            return Step(self(images, ids, views, seed, **how), ids, views)
        x, y = self(images, ids, views, seed, labels=labels, num_classes=num_classes, **how)
        return LabelledStep(x, ids, views, y)

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
        if device is not None:
            ids, views = ids.to(device), views.to(device)
        flat_ids, flat_views = _flatten(ids, views)
        rows = self._renderer.rows(image, flat_ids, flat_views, seed)
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
        if arguments.may_read_values(images):
            image = tuple(images.shape[2:])
            parameters.check_values(params, self.operations, image, self.output_size(image))
        flat_ids = ids if len(shape) == 1 else ids.unsqueeze(1).expand(shape).reshape(-1)
        if self._renderer.row_words == 0:  # nothing was drawn, so every view of an image is the same one
            return self._renderer.render(images, ids, torch.zeros_like(ids), None, 0, shape, dtype, channels_last, out)
        return self._renderer.render(images, flat_ids, None, rows, 0, shape, dtype, channels_last, out)

    def cardinality(
        self, image_size: int | Size, *, sample: int | None = None, seed: int = 0, image: int = 0
    ) -> Cardinality:
        """How many different views an image has, counted as tuples of drawn parameters.

        Args:
            image_size: (H, W) of the bank's images, or an int for squares.
            sample: also draw views 0 .. sample - 1 of one image and count how often tuples coincide among them.
            seed, image: the address of that sample.

        Raises:
            TypeError, ValueError: as in `params`; a sample below 2.
        """
        return cardinality(self, image_size, sample, seed, image)


def _flatten(ids: torch.Tensor, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and views of each view [n] from ids [B] and views [B] or [B, V]."""
    if views.ndim == 1:
        return ids, views
    return ids.unsqueeze(1).expand(views.shape).reshape(-1), views.reshape(-1)
