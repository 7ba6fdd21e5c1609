"""Blur, sharpness and tone operations in float64."""

from __future__ import annotations

import numpy as np

from rote.augment import AutoContrast, Equalize, GaussianBlur, Invert, Posterize, Sharpness, Solarize

#: A pixel this close to a step of solarize or posterize may fall on either side.
STEP = 1e-5
#: The same for the bytes of equalize: one pixel that is counted elsewhere changes its whole channel.
BYTE_STEP = 1e-6


def gaussian_weights(kernel: int, sigma: float) -> np.ndarray:
    distance = np.arange(kernel) - kernel // 2
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return weights / weights.sum()


def blur(x: np.ndarray, kernel: tuple[int, int], sigma: float) -> np.ndarray:
    """A two-dimensional convolution, kernel (width, height), of an image reflected at its border."""
    height, width = x.shape[1:]
    across, down = (gaussian_weights(k, sigma) for k in kernel)
    padded = np.pad(x, ((0, 0), (kernel[1] // 2,) * 2, (kernel[0] // 2,) * 2), mode="reflect")
    out = np.zeros_like(x)
    for i, weight_y in enumerate(down):
        for j, weight_x in enumerate(across):
            out += weight_y * weight_x * padded[:, i : i + height, j : j + width]
    return out


def sharpen(x: np.ndarray, factor: float) -> np.ndarray:
    height, width = x.shape[1:]
    if height < 3 or width < 3:
        return x
    smooth = x.copy()
    inner = 4 * x[:, 1:-1, 1:-1]
    for i in range(3):
        for j in range(3):
            inner = inner + x[:, i : i + height - 2, j : j + width - 2]
    smooth[:, 1:-1, 1:-1] = inner / 13
    return np.clip(x + (1 - factor) * (smooth - x), 0, 1)


def solarize(x: np.ndarray, threshold: float) -> np.ndarray:
    return np.where(x >= threshold, 1 - x, x)


def posterize(x: np.ndarray, bits: int) -> np.ndarray:
    return np.clip(np.floor(x * 2**bits), 0, 2**bits - 1) / 2**bits


def auto_contrast(x: np.ndarray) -> np.ndarray:
    low, high = x.min(axis=(1, 2), keepdims=True), x.max(axis=(1, 2), keepdims=True)
    flat = high == low
    return np.clip((x - np.where(flat, 0, low)) / np.where(flat, 1, high - low), 0, 1)


def equalize(x: np.ndarray) -> np.ndarray:
    return np.stack([_equalize_channel(np.clip(np.floor(channel * 255.999), 0, 255).astype(int)) for channel in x])


def _equalize_channel(levels: np.ndarray) -> np.ndarray:
    counts = np.bincount(levels.ravel(), minlength=256)
    step = (levels.size - counts[levels.max()]) // 255
    if step == 0:
        return levels / 255
    below = np.cumsum(counts) - counts
    return np.minimum((below + step // 2) // step, 255)[levels] / 255


def solarize_decided(x: np.ndarray, threshold: float) -> np.ndarray:
    return np.abs(x - threshold) > STEP


def posterize_decided(x: np.ndarray, bits: int) -> np.ndarray:
    nearest = np.round(x * 2**bits)
    return (np.abs(x - nearest / 2**bits) > STEP) | (nearest < 1) | (nearest > 2**bits - 1)


def equalize_decided(x: np.ndarray) -> np.ndarray:
    nearest = np.round(x * 255.999)
    clear = (np.abs(x - nearest / 255.999) > BYTE_STEP) | (nearest < 1) | (nearest > 255)
    return np.broadcast_to(clear.all(axis=(1, 2), keepdims=True), x.shape)


def _if_applied(change):
    return lambda operation, x, p, size: change(operation, x, p) if p["applied"] else x


def _if_applied_decided(decided):
    return lambda operation, x, p, size: decided(operation, x) if p["applied"] else True


APPLY = {
    GaussianBlur: _if_applied(lambda operation, x, p: blur(x, operation.kernel_size, p["sigma"])),
    Sharpness: _if_applied(lambda operation, x, p: sharpen(x, p["factor"])),
    Solarize: _if_applied(lambda operation, x, p: solarize(x, operation.threshold)),
    Posterize: _if_applied(lambda operation, x, p: posterize(x, operation.bits)),
    Invert: _if_applied(lambda operation, x, p: 1 - x),
    AutoContrast: _if_applied(lambda operation, x, p: auto_contrast(x)),
    Equalize: _if_applied(lambda operation, x, p: equalize(x)),
}
DECIDED = {
    Solarize: _if_applied_decided(lambda operation, x: solarize_decided(x, operation.threshold)),
    Posterize: _if_applied_decided(lambda operation, x: posterize_decided(x, operation.bits)),
    Equalize: _if_applied_decided(lambda operation, x: equalize_decided(x)),
}
