"""The rows that exact k-NN is timed on. Every function returns float32 [count, dim] that depends on its arguments only.

`rows` and `references` of a case share the structure (class means, the duplicated row) and differ in their samples:
structure comes from STRUCTURE, samples from the seed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

STRUCTURE = 1
CLASSES = 10
DUPLICATES = 5000


def gaussian(count: int, dim: int, seed: int) -> torch.Tensor:
    """Independent standard normal elements: no structure, distances concentrate."""
    return torch.randn(count, dim, generator=_generator(seed))


def collapsed(count: int, dim: int, seed: int, *, spread: float) -> torch.Tensor:
    """Embeddings of a classifier trained to the end: ten class means, and `spread` times as much within a class."""
    generator = _generator(seed)
    means = torch.randn(CLASSES, dim, generator=_generator(STRUCTURE))
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    return means[labels] + spread * torch.randn(count, dim, generator=generator)


def one_hot(count: int, dim: int, seed: int) -> torch.Tensor:
    """One 1 a row: count / dim exact copies of every row, all others equally far away. Order is by index alone."""
    rows = torch.zeros(count, dim)
    rows[torch.arange(count), torch.randint(0, dim, (count,), generator=_generator(seed))] = 1
    return rows


def duplicated(count: int, dim: int, seed: int) -> torch.Tensor:
    """Gaussian, but DUPLICATES rows (a tenth, if that is less) are the same one, scattered."""
    rows = gaussian(count, dim, seed)
    copies = min(DUPLICATES, count // 10)
    places = torch.randperm(count, generator=_generator(seed + 1000))[:copies]
    rows[places] = torch.randn(dim, generator=_generator(STRUCTURE))
    return rows


def lognormal_norms(count: int, dim: int, seed: int, *, sigma: float = 1.0) -> torch.Tensor:
    """Gaussian directions, norms that spread over about three decades."""
    generator = _generator(seed)
    rows = torch.randn(count, dim, generator=generator)
    return rows * (sigma * torch.randn(count, 1, generator=generator)).exp()


def outlier(count: int, dim: int, seed: int) -> torch.Tensor:
    """Gaussian, one row 1,000 times as long: a bound or a scale for all rows at once is ruined by it."""
    rows = gaussian(count, dim, seed)
    rows[count // 2] *= 1000
    return rows


def trained_encoder_surrogate(count: int, dim: int, seed: int = 0) -> torch.Tensor:
    """Pooled ReLU features: what an encoder with batch norm ends in, without training one.

    Ten classes in 64 latent directions whose variances fall as (i + 8)^-3, every image's spread lognormal; eight
    positions a moment apart in latent space go through one random ReLU layer and are averaged. At 20,000 x 512, beside
    the encoder of a `benign` run on CIFAR-10 (20,000 images, 128 features):

    | | surrogate | encoder |
    |---|---|---|
    | length of the mean / mean length | 0.76 | 0.82 |
    | participation ratio of the covariance | 11 | 16 |
    | directions with 90 % of the variance | 30 | 40 |
    | distance to the 20th neighbour / median distance | 0.48 | 0.52 |
    | gap between the 20th and 21st, relative | 2.4e-3 | 2.7e-3 |
    """
    latent, positions = 64, 8
    structure, generator = _generator(STRUCTURE), _generator(seed)
    deviations = (torch.arange(latent) + 8.0) ** -1.5
    deviations /= deviations.norm()
    means = torch.randn(CLASSES, latent, generator=structure) * deviations
    weights = torch.randn(latent, dim, generator=structure)
    bias = torch.randn(dim, generator=structure)
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    own = (0.2 * torch.randn(count, 1, generator=generator)).exp() * deviations
    image = means[labels] + own * torch.randn(count, latent, generator=generator)
    rows = torch.zeros(count, dim)
    for _ in range(positions):
        rows += torch.relu((image + own * torch.randn(count, latent, generator=generator)) @ weights + bias)
    return rows / positions


#: The kinds by the names that cases carry: (count, dim, seed) -> rows.
KINDS: dict[str, Callable[[int, int, int], torch.Tensor]] = {
    "Gaussian": gaussian,
    "trained encoder (surrogate)": trained_encoder_surrogate,
    "collapsed 0.03": lambda count, dim, seed: collapsed(count, dim, seed, spread=0.03),
    "collapsed 0.003": lambda count, dim, seed: collapsed(count, dim, seed, spread=0.003),
    "one-hot rows": one_hot,
    "5,000 duplicates": duplicated,
    "lognormal norms": lognormal_norms,
    "one row 1,000 x": outlier,
}


def queries_and_references(kind: str, rows: int, count: int, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries [rows, dim] and references [count, dim] of one kind, drawn independently."""
    make = KINDS[kind]
    return make(rows, dim, 11), make(count, dim, 12)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
