"""Erasing and noise by torchvision v2, which is given the numbers that it would draw."""

from __future__ import annotations

from unittest import mock

import torch

from ..oracle import noise as oracle


def _erase(F, operation, x, p, size):
    if not p["applied"]:
        return x
    values = torch.from_numpy(oracle.box_values(operation, p, len(x))).float()
    return F.erase(x, p["top"], p["left"], p["height"], p["width"], values)


def _cutout(F, operation, x, p, size):
    if not p["applied"]:
        return x
    top, left = max(p["top"], 0), max(p["left"], 0)
    height, width = p["top"] + operation.size[0] - top, p["left"] + operation.size[1] - left
    return F.erase(x, top, left, height, width, torch.tensor(operation.value)[: len(x), None, None])


def _gaussian_noise(F, operation, x, p, size):
    if not p["applied"]:
        return x
    drawn = torch.from_numpy(oracle.image_normals(p["key"], x.shape)).float()
    with mock.patch("torch.randn_like", return_value=drawn):
        return F.gaussian_noise(x, operation.mean, operation.sigma, operation.clip)


APPLY = {"random_erasing": _erase, "cutout": _cutout, "gaussian_noise": _gaussian_noise}
