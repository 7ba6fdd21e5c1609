"""rote/metrics/alignment.py: do first-layer filters lie along the principal components of the data's patches?

Maennel et al. 2020, "What do neural networks learn when trained with random labels?" (arXiv 2006.10455). Everything is
float64 on the CPU.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rote.metrics.evaluation import BATCH_SIZE, checked_ids, checked_images, clean_pixels

# Eigenvalues below this share of the largest one are rounding.
_RANK = 1e-12


def first_layer(model: nn.Module) -> nn.Conv2d | nn.Linear:
    """The layer that sees the pixels: the first convolution or linear layer in module order.

    Raises:
        ValueError: there is none, or its filters see only some of the channels.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            if isinstance(module, nn.Conv2d) and module.groups != 1:
                raise ValueError(f"the first layer's filters must see all channels; got groups={module.groups}")
            return module
    raise ValueError(f"{type(model).__name__} has no convolution or linear layer to take filters from")


def filters_of(model: nn.Module) -> Tensor:
    """float64 [filters, d] of the first layer, d = channels x height x width of what a filter sees."""
    return first_layer(model).weight.detach().double().cpu().flatten(1)


def covariance(rows: Tensor) -> Tensor:
    """Sample covariance float64 [d, d] of rows [n, d], about their mean, divided by n - 1.

    Raises:
        ValueError: fewer than two rows.
    """
    if rows.dim() != 2 or len(rows) < 2:
        raise ValueError(f"rows must be float [n, d], n > 1; got {tuple(rows.shape)}")
    centred = rows.double() - rows.double().mean(0)
    return centred.T @ centred / (len(rows) - 1)


def patch_covariance(images: Tensor, image_ids: Tensor | None, layer: nn.Conv2d | nn.Linear) -> Tensor:
    """Covariance float64 [d, d] of what the filters of a first layer see: all patches inside the images, or whole ones.

    Args:
        images: uint8 [M, C, H, W]; pixels are divided by 255.
        image_ids: int64 [N]; None is the whole bank.
        layer: a convolution, whose kernel's size (and dilation) patches have, at every position without padding; or a
            linear layer, which sees flat images.

    Raises:
        ValueError: shapes that do not fit.
    """
    ids = checked_ids(image_ids, checked_images(images))
    d = layer.weight[0].numel()
    total, products, count = torch.zeros(d, dtype=torch.float64), torch.zeros(d, d, dtype=torch.float64), 0
    for chunk in ids.split(BATCH_SIZE):
        x = clean_pixels(images, chunk, torch.device("cpu"))
        if isinstance(layer, nn.Conv2d):
            patches = F.unfold(x, layer.kernel_size, layer.dilation).transpose(1, 2).flatten(0, 1)
        else:
            patches = x.flatten(1)
        if patches.shape[1] != d:
            raise ValueError(f"images must have patches of {d} numbers, as the filters have; got {patches.shape[1]}")
        # About 1/2 rather than 0, so that little is lost when the squared mean is subtracted.
        patches = patches.double() - 0.5
        total += patches.sum(0)
        products += patches.T @ patches
        count += len(patches)
    return (products - torch.outer(total, total) / count) / (count - 1)


def eigenbasis(matrix: Tensor) -> Tensor:
    """Orthonormal eigenvectors of a symmetric matrix, the columns of float64 [d, d]."""
    return torch.linalg.eigh(matrix.double()).eigenvectors


def random_basis(d: int, generator: torch.Generator) -> Tensor:
    """A random orthonormal basis (Haar), the columns of float64 [d, d]."""
    q, r = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=generator))
    return q * r.diagonal().sign()


def misalignment(filters: Tensor, basis: Tensor) -> float:
    """M = sqrt(sum_i sqrt((v_i' S v_i) (v_i' S^-1 v_i)) - d); 0 if and only if every v_i is an eigenvector of S.

    Each summand is at least 1 by the Cauchy-Schwarz inequality. A covariance estimated from few filters is misaligned
    with every basis; compare with a random one and with the filters' value at initialization.

    Args:
        filters: S, the covariance of the filters, float [d, d], of full rank.
        basis: v_i, the orthonormal columns of float [d, d].

    Raises:
        ValueError: shapes that do not fit, a basis that is not orthonormal, or S that is not symmetric and of full
            rank (n filters have one of at most n - 1).
    """
    d = len(filters)
    if filters.shape != (d, d) or basis.shape != (d, d):
        raise ValueError(f"filters and basis must be [d, d]; got {tuple(filters.shape)} and {tuple(basis.shape)}")
    s, v = filters.double(), basis.double()
    if not torch.allclose(v.T @ v, torch.eye(d, dtype=torch.float64), atol=1e-8):
        raise ValueError("basis must be orthonormal")
    if not torch.allclose(s, s.T, rtol=1e-9, atol=float(1e-12 * s.abs().max())):
        raise ValueError("filters must be a symmetric covariance matrix")
    values, vectors = torch.linalg.eigh(s)
    if not float(values[0]) > _RANK * float(values[-1]):
        rank = int((values > _RANK * values[-1]).sum())
        raise ValueError(f"filters must have a covariance of full rank, {d}; got rank {rank} (pool more networks)")
    share = (vectors.T @ v).square()  # [eigenvector, i], columns sum to 1
    terms = (share * values[:, None]).sum(0) * (share / values[:, None]).sum(0)
    return math.sqrt(max(float((terms.sqrt() - 1.0).sum()), 0.0))
