"""rote/metrics/embedding.py: what the layers of a network make of a set of clean images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from rote.metrics.evaluation import BATCH_SIZE, checked_ids, checked_images, clean_pixels, convolutional, evaluating
from rote.models import EncoderProjector


def embed(
    model: EncoderProjector,
    images: Tensor,
    layers: Sequence[str],
    *,
    image_ids: Tensor | None = None,
    recipe: Callable[..., Tensor] | None = None,
    batch_size: int = BATCH_SIZE,
) -> dict[str, Tensor]:
    """Pooled outputs of layers on un-augmented images, in eval mode.

    Args:
        model: a network with `activations`.
        images: uint8 [M, C, H, W].
        layers: names out of `model.layers`.
        image_ids: int64 [N]; None is the whole bank.
        recipe: None for pixels / 255, or a recipe without randomness.
        batch_size: images per forward pass.

    Returns:
        {layer: float32 [N, D_layer]} on the network's device.

    Raises:
        ValueError: an unknown layer, or shapes that do not fit.
    """
    ids = checked_ids(image_ids, checked_images(images))
    if not layers:
        raise ValueError("layers must name at least one layer")
    channels_last = convolutional(model)
    embeddings: dict[str, Tensor] = {}
    with evaluating(model) as device:
        for begin in range(0, len(ids), batch_size):
            chunk = ids[begin : begin + batch_size]
            x = clean_pixels(images, chunk, device, recipe=recipe, channels_last=channels_last)
            for layer, value in model.activations(x, layers).items():
                if layer not in embeddings:  # once and whole: a projector's output fills gigabytes at full scale
                    embeddings[layer] = value.new_empty(len(ids), *value.shape[1:])
                embeddings[layer][begin : begin + len(chunk)] = value
    return embeddings
