"""rote/metrics/gradient_norm.py: GraNd, the norm of each example's own gradient over all parameters.

GraNd_i = || d loss(f(x_i), y_i) / d theta ||_2 (Paul, Ganguli and Dziugaite 2021, arXiv 2107.07075), of one network at
one moment; the paper averages it over at least ten independently initialized networks, near the start of training. The
loss is the cross-entropy of one example, never divided by a batch size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F

from rote.metrics.evaluation import checked_ids, checked_images, checked_labels, clean_pixels, evaluating

#: Examples whose gradients are held at a time: each takes as much memory as the network.
CHUNK = 32

Loss = Callable[[Tensor, Tensor], Tensor]


def gradient_norms(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    image_ids: Tensor | None = None,
    chunk: int = CHUNK,
    loss: Loss = F.cross_entropy,
) -> Tensor:
    """GraNd of every example, over all parameters that require gradients.

    The network is in eval mode: with the batch statistics of train mode an example would have no gradient of its own.
    At initialization, where running statistics are 0 and 1, put the call inside `recalibrated`.

    Args:
        model: a network without layers that draw random numbers in eval mode.
        images: the bank, uint8 [M, C, H, W]; pixels are divided by 255.
        labels: int64 [N], the label of each example.
        image_ids: int64 [N], the examples' rows of the bank; None is the whole bank.
        chunk: examples at a time; memory is `chunk` times that of the parameters.
        loss: (scores [1, C], labels [1]) -> scalar, of operations that `torch.func.vmap` batches.

    Returns:
        float64 [N] on the CPU; gradients are in the parameters' dtype, their squares are added in float64.

    Raises:
        ValueError: shapes that do not fit, a chunk below 1, or a network without such parameters.
    """
    ids, labels = _checked(images, labels, image_ids, chunk)
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise ValueError("model must have parameters that require gradients; got none")
    rest = {name: p.detach() for name, p in model.named_parameters() if not p.requires_grad}
    rest |= {name: b.detach() for name, b in model.named_buffers()}

    def example_loss(values: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return loss(functional_call(model, (values, rest), (x[None],)), y[None])

    gradients = vmap(grad(example_loss), in_dims=(None, 0, 0))
    found = []
    with evaluating(model) as device, torch.enable_grad():
        for start in range(0, len(ids), chunk):
            x = clean_pixels(images, ids[start : start + chunk], device)
            per_example = gradients(parameters, x, labels[start : start + chunk].to(device))
            squares = sum(g.flatten(1).double().square().sum(1) for g in per_example.values())
            found.append(squares.sqrt().cpu())
    return torch.cat(found)


def last_layer_gradient_norms(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    image_ids: Tensor | None = None,
    layer: nn.Linear | None = None,
    batch_size: int = 512,
) -> Tensor:
    """The same norm over the last layer's parameters alone, in closed form: one forward pass, no gradients.

    The gradient of the cross-entropy for a last layer W h + b is (p - onehot(y)) h' and p - onehot(y), so the norm is
    || p - onehot(y) || sqrt(|| h ||^2 + 1), without the 1 where there is no bias. EL2N is its first factor.

    Args:
        model, images, labels, image_ids: as `gradient_norms`; the loss is the cross-entropy.
        layer: the linear layer that gives the network's scores; None is the last one in module order.
        batch_size: images per forward pass.

    Returns:
        float64 [N] on the CPU.

    Raises:
        ValueError: shapes that do not fit, no linear layer, or one whose output is not what the network gives.
    """
    ids, labels = _checked(images, labels, image_ids, batch_size)
    layer = _last_linear(model) if layer is None else layer
    seen: list[tuple[Tensor, Tensor]] = []
    hook = layer.register_forward_hook(lambda _module, given, out: seen.append((given[0].detach(), out.detach())))
    found = []
    try:
        with evaluating(model) as device:
            for start in range(0, len(ids), batch_size):
                seen.clear()
                scores = model(clean_pixels(images, ids[start : start + batch_size], device))
                if len(seen) != 1 or not torch.equal(seen[0][1], scores):
                    raise ValueError("layer must be the one whose output the network gives, called once a forward pass")
                h = seen[0][0].double()
                error = scores.double().softmax(1)
                error[torch.arange(len(error)), labels[start : start + batch_size].to(device)] -= 1.0
                inside = h.square().sum(1) + (0.0 if layer.bias is None else 1.0)
                found.append((error.square().sum(1) * inside).sqrt().cpu())
    finally:
        hook.remove()
    return torch.cat(found)


def _checked(images: Tensor, labels: Tensor, image_ids: Tensor | None, chunk: int) -> tuple[Tensor, Tensor]:
    if chunk < 1:
        raise ValueError(f"the number of examples at a time must be at least 1; got {chunk}")
    ids = checked_ids(image_ids, checked_images(images))
    return ids, checked_labels(labels, len(ids))


def _last_linear(model: nn.Module) -> nn.Linear:
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ValueError(f"layer must be given: {type(model).__name__} has no linear layer")
    return layers[-1]
